package Koha::Plugin::Org::PatronPassport::Methods;

use Modern::Perl;

use Exporter         qw( import );
use Class::Inspector ();

use Koha::Plugin::Org::PatronPassport::Locks qw( despite_locks );

our @EXPORT_OK = qw( ensure_methods );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Methods - Koha's table of the methods that a plugin has

=head1 DESCRIPTION

By it Koha finds routes, the tool page and background jobs (Koha/Plugins.pm, GetPlugins; Koha/Plugins/Handler.pm, run). It writes
the methods of the class as the web worker of an upload has it loaded (InstallPlugins): after an upgrade those of the version before.

=head1 FUNCTIONS

=head2 ensure_methods

    ensure_methods( $dbh, $class );

Brings the rows of this class in line with the class, as Koha itself would list them: one query where they are. Safe to repeat, and
for several processes at the same time.

=cut

sub ensure_methods {
    my ( $dbh, $class ) = @_;

    my %has    = map { $_ => 1 } @{ Class::Inspector->methods( $class, 'public' ) };
    my %stored = map { $_ => 1 } @{
        $dbh->selectcol_arrayref( 'SELECT plugin_method FROM plugin_methods WHERE plugin_class = ?',
            undef, $class )
    };

    foreach my $method ( sort grep { !$stored{$_} } keys %has ) {
        _add( $dbh, $class, $method );
    }
    foreach my $method ( sort grep { !$has{$_} } keys %stored ) {
        despite_locks(
            $dbh,
            sub {
                return $dbh->do( 'DELETE FROM plugin_methods WHERE plugin_class = ? AND plugin_method = ?',
                    undef, $class, $method );
            }
        );
    }

    return;
}

sub _add {
    my ( $dbh, $class, $method ) = @_;

    my $add = 'INSERT INTO plugin_methods (plugin_class, plugin_method) VALUES (?, ?)';
    return if eval {
        despite_locks( $dbh, sub { return $dbh->do( $add, undef, $class, $method ) } );
        1;
    };

    # another process may have been quicker
    my $error = $@;
    my ($is_there)
        = $dbh->selectrow_array(
        'SELECT COUNT(*) FROM plugin_methods WHERE plugin_class = ? AND plugin_method = ?',
        undef, $class, $method );
    die $error if !$is_there;

    return;
}

1;

package Koha::Plugin::Org::PatronPassport::Setup;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Class::Inspector ();
use Koha::Patron::Attribute::Type;
use Koha::Patron::Attribute::Types;
use Koha::Patron::Restriction::Type;
use Koha::Patron::Restriction::Types;
use Mojo::File ();

use Koha::Plugin::Org::PatronPassport::Locks        qw( despite_locks );
use Koha::Plugin::Org::PatronPassport::Notice       qw( notice_templates );
use Koha::Plugin::Org::PatronPassport::Problem      qw( report );
use Koha::Plugin::Org::PatronPassport::Restrictions qw( restriction_types );

# Before 24.11 a code has at most 10 characters.
my $PASSPORT       = 'PASSPORTED';
my $HOME_KEY       = 'PASSPORTED_ID';
my $SHORT_HOME_KEY = 'PASSPORTID';

# The version of the plugin that this module belongs to. Stored with what it has set up: Koha's development code makes the class of a
# new version anew beside modules of the one before, and has it upgrade then (Koha/Plugins.pm, _forget_plugin_class).
our $VERSION = '1.0.0';

my $SET_UP_BY = '__SET_UP_BY__';

our @EXPORT_OK = qw( ensure has_files home_key_type keep_current make_type );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Setup - the tables, the methods that Koha knows, the attribute types, the restriction types and the notice

=head1 FUNCTIONS

=head2 ensure

    ensure($plugin);

Creates what is missing and touches nothing that is there: a type can be older than this plugin, and belongs to the
library. Safe to repeat, and for several web workers at once: all of them upgrade when they first load a new version.

=cut

sub ensure {
    my ($plugin) = @_;

    $_->ensure foreach $plugin->scans, $plugin->copies;

    make_type( $PASSPORT,                         0 );
    make_type( home_key_type( C4::Context->dbh ), 1 );
    foreach my $type ( restriction_types() ) {
        _ensure_there(
            sub { return Koha::Patron::Restriction::Types->find( $type->{code} ) },
            sub { return Koha::Patron::Restriction::Type->new($type)->store }
        );
    }
    _ensure_notice($_) foreach notice_templates();
    _ensure_methods( $plugin->{class} );
    $plugin->store_data( { $SET_UP_BY => $VERSION } );

    return;
}

=head2 keep_current

    keep_current($plugin);

Once per process: does C<ensure> where another version was the last to do it, and brings the methods in line with the class, which a
worker of the upload may have written from the class of before after the upgrade was done. Two queries where all is in order. It
does nothing in a process that still has another version loaded than the one that was uploaded, nothing inside a transaction of
Koha's (a new table would end that), and never dies.

=cut

sub keep_current {
    my ($plugin) = @_;

    state $checked_by = 0;
    return if $checked_by == $$ || !C4::Context->dbh->{AutoCommit};
    $checked_by = $$;

    my $is_done = eval {
        if ( _is_what_lies_there( $plugin->{class} ) && $plugin->retrieve_data('__INSTALLED__') ) {
            ( $plugin->retrieve_data($SET_UP_BY) // q{} ) eq $VERSION
                ? _ensure_methods( $plugin->{class} )
                : ensure($plugin);
        }
        1;
    };
    report( 'the check of the set-up', $@ ) if !$is_done;

    return;
}

=head2 has_files

    if ( has_files($class) ) { ... }

False after a removal, in a process that has loaded the plugin before.

=cut

sub has_files {
    my ($class) = @_;

    return -e _file_of($class) ? 1 : 0;
}

sub _file_of {
    my ($class) = @_;

    return $INC{ $class =~ s{::}{/}gxmsr . '.pm' };
}

# False after an upload of another version, until the restart.
sub _is_what_lies_there {
    my ($class) = @_;

    return 0 if !has_files($class);

    my ($version)
        = Mojo::File->new( _file_of($class) )->slurp =~ m{ ^ our [ ] \$VERSION [ ] = [ ] '([^']+)' }xms;

    return ( $version // q{} ) eq $class->VERSION ? 1 : 0;
}

=head2 home_key_type

The code of the type that holds the home key, the long one where this Koha's column can hold it.

=cut

sub home_key_type {
    my ($dbh) = @_;

    my $column = $dbh->column_info( undef, undef, 'borrower_attribute_types', 'code' );
    my $size   = $column ? ( $column->fetchrow_hashref // {} )->{COLUMN_SIZE} : undef;

    return defined $size && $size < length $HOME_KEY ? $SHORT_HOME_KEY : $HOME_KEY;
}

=head2 make_type

    make_type( $code, $is_home_key );

The attribute type that names the home library of a copy, or that of its unique key there; one that is there stays as it is.

=cut

sub make_type {
    my ( $code, $is_home_key ) = @_;

    my @never
        = qw( repeatable unique_id mandatory opac_display opac_editable staff_searchable display_checkout );
    my %more
        = $is_home_key
        ? ( unique_id => 1, description => 'Patron Passport: key at the home library' )
        : ( display_checkout => 1, description => 'Patron Passport: home library' );
    my %type = ( ( map { $_ => 0 } @never ), code => $code, %more );
    _ensure_there(
        sub { return Koha::Patron::Attribute::Types->find($code) },
        sub { return Koha::Patron::Attribute::Type->new( \%type )->store }
    );

    return;
}

# Koha finds routes, the tool page and background jobs by its table of a plugin's methods (Koha/Plugins.pm, GetPlugins;
# Koha/Plugins/Handler.pm, run), and writes those of the class as the web worker of an upload has it loaded (InstallPlugins): after an
# upgrade those of the version before. One query where they are as Koha itself would list them.
sub _ensure_methods {
    my ($class) = @_;

    my $dbh    = C4::Context->dbh;
    my $find   = 'SELECT plugin_method FROM plugin_methods WHERE plugin_class = ?';
    my %has    = map { $_ => 1 } @{ Class::Inspector->methods( $class, 'public' ) };
    my %stored = map { $_ => 1 } @{ $dbh->selectcol_arrayref( $find, undef, $class ) };
    my $change = sub {
        my ( $sql, $method ) = @_;
        return despite_locks( $dbh, sub { return $dbh->do( $sql, undef, $class, $method ) } );
    };

    foreach my $method ( sort grep { !$stored{$_} } keys %has ) {
        _ensure_there(
            sub { return $dbh->selectrow_array( "$find AND plugin_method = ?", undef, $class, $method ) },
            sub {
                $change->( 'INSERT INTO plugin_methods (plugin_class, plugin_method) VALUES (?, ?)',
                    $method );
            }
        );
    }
    $change->( 'DELETE FROM plugin_methods WHERE plugin_class = ? AND plugin_method = ?', $_ )
        foreach sort grep { !$has{$_} } keys %stored;

    return;
}

# One that was edited stays as it is, and one that was removed comes back with the next version: without it nobody is told.
sub _ensure_notice {
    my ($row) = @_;

    my $dbh     = C4::Context->dbh;
    my @key     = qw( module code branchcode message_transport_type lang );
    my $where   = join ' AND ', map {"$_ = ?"} @key;
    my @columns = sort keys %{$row};
    my $sql     = sprintf 'INSERT INTO letter (%s) VALUES (%s)', join( q{, }, @columns ), join q{, },
        (q{?}) x @columns;
    _ensure_there(
        sub { return $dbh->selectrow_array( "SELECT 1 FROM letter WHERE $where", undef, @{$row}{@key} ) },
        sub {
            return despite_locks( $dbh, sub { return $dbh->do( $sql, undef, @{$row}{@columns} ) } );
        }
    );

    return;
}

# Adds a row unless it is found; another process may be quicker.
sub _ensure_there {
    my ( $find, $add ) = @_;

    return if $find->() || eval { $add->(); 1 };

    my $error = $@;
    die $error if !$find->();

    return;
}

1;

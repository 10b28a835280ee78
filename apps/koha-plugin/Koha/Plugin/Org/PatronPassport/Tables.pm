package Koha::Plugin::Org::PatronPassport::Tables;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::CopyTable qw( ensure_copy_table );
use Koha::Plugin::Org::PatronPassport::ScanTable qw( ensure_table );

# MariaDB and MySQL: "Table '...' doesn't exist"
my $NO_SUCH_TABLE = 1146;

my %MAKE = ( scans => \&ensure_table, copies => \&ensure_copy_table );

our @EXPORT_OK = qw( despite_missing missing_tables );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Tables - whether the plugin's own tables are there

=head1 FUNCTIONS

=head2 despite_missing

    my @row = despite_missing( $dbh, scans => $table, sub { return $dbh->selectrow_array($sql) } );

Does the work. Where the table is missing, as after a restore of part of the database, it is made again, empty, and the
work is done once more; Koha's log has a line of it. Not inside a transaction of Koha's, which a new table would end.

=cut

sub despite_missing {
    my ( $dbh, $which, $table, $work ) = @_;

    my $wants_list = wantarray;
    my @result;
    {
        local $dbh->{PrintError} = 0;
        return $wants_list ? @result : $result[0]
            if eval { @result = $wants_list ? $work->() : scalar $work->(); 1 };

        my $error = $@;
        die $error if !$dbh->{AutoCommit} || !_is_missing( $dbh, $table );
    }

    warn "Patron Passport: the table $table was missing; it is made again, empty\n";
    $MAKE{$which}->( $dbh, $table );

    return $work->();
}

sub _is_missing {
    my ( $dbh, $table ) = @_;

    my $text = $dbh->errstr // q{};

    # after a removal, which has dropped the tables, nothing is to come back: this file is gone, too
    return 0 if !-e __FILE__                    || $text !~ m{\b \Q$table\E \b}xms;
    return ( $dbh->err // 0 ) == $NO_SUCH_TABLE || $text =~ m{no [ ] such [ ] table}xms ? 1 : 0;
}

=head2 missing_tables

    my @names = missing_tables( $dbh, $plugin );

=cut

sub missing_tables {
    my ( $dbh, $plugin ) = @_;

    local $dbh->{PrintError} = 0;

    return grep {
        my $table = $_;
        !eval { $dbh->selectrow_array("SELECT 1 FROM $table LIMIT 1"); 1 }
    } map { $plugin->get_qualified_table_name($_) } sort keys %MAKE;
}

1;

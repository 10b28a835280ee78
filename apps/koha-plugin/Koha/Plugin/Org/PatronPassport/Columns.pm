package Koha::Plugin::Org::PatronPassport::Columns;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::Locks qw( despite_locks );

our @EXPORT_OK = qw( ensure_columns );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Columns - columns that a later version of the plugin adds to its tables

=head1 FUNCTIONS

=head2 ensure_columns

    ensure_columns( $dbh, $table, 'scan_key', 'ADD COLUMN scan_key VARCHAR(64) NULL, ADD KEY scan_key (scan_key)' );

Makes the changes unless the first column of them is there. Safe to repeat, and for all web workers at the same time.

=cut

sub ensure_columns {
    my ( $dbh, $table, $first, $changes ) = @_;

    return if _has_column( $dbh, $table, $first );
    return if eval {
        despite_locks( $dbh, sub { return $dbh->do("ALTER TABLE $table $changes") } );
        1;
    };

    # "IF NOT EXISTS" for a column is MariaDB's alone
    my $error = $@;
    die $error if !_has_column( $dbh, $table, $first );

    return;
}

sub _has_column {
    my ( $dbh, $table, $column ) = @_;

    my $found = $dbh->column_info( undef, undef, $table, $column );

    return $found && $found->fetchrow_hashref ? 1 : 0;
}

1;

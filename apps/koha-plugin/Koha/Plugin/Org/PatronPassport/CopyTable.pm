package Koha::Plugin::Org::PatronPassport::CopyTable;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::Columns qw( ensure_columns );
use Koha::Plugin::Org::PatronPassport::Locks   qw( despite_locks );

our @EXPORT_OK = qw( ensure_copy_table drop_copy_table );

=head1 NAME

Koha::Plugin::Org::PatronPassport::CopyTable - the table of what the service wrote into copies

=head1 FUNCTIONS

=head2 ensure_copy_table

    ensure_copy_table( $dbh, $name );

Makes the table, or adds what one from before does not have yet. Safe to repeat, and for all web workers at the same time.

=cut

sub ensure_copy_table {
    my ( $dbh, $name ) = @_;

    # no key into Koha's table: a copy must be deletable whatever this table says of it
    despite_locks( $dbh, sub { return $dbh->do(<<"SQL") } );
CREATE TABLE IF NOT EXISTS $name (
    patron_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    home_key VARCHAR(255) NOT NULL,
    written MEDIUMTEXT NOT NULL,
    seen_at BIGINT NULL,
    PRIMARY KEY (patron_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
SQL

    # when a scan of the copy was last reported, in Unix seconds
    ensure_columns( $dbh, $name, 'seen_at', 'ADD COLUMN seen_at BIGINT NULL' );

    return;
}

=head2 drop_copy_table

    drop_copy_table( $dbh, $name );

Safe to repeat. Copies that were made until then are never refreshed again, only reported.

=cut

sub drop_copy_table {
    my ( $dbh, $name ) = @_;

    $dbh->do("DROP TABLE IF EXISTS $name");

    return;
}

1;

package Koha::Plugin::Org::PatronPassport::ScanTable;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::Columns qw( ensure_columns );
use Koha::Plugin::Org::PatronPassport::Locks   qw( despite_locks );

our @EXPORT_OK = qw( ensure_table drop_table );

=head1 NAME

Koha::Plugin::Org::PatronPassport::ScanTable - the plugin's own table

=head1 FUNCTIONS

=head2 ensure_table

    ensure_table( $dbh, $name );

Makes the table, or adds what one from before does not have yet. Safe to repeat, and for all web workers at the same
time: who comes too late finds it done.

=cut

sub ensure_table {
    my ( $dbh, $name ) = @_;

    # whole at once, since others may use it as soon as it is there; ids are distinguished by case, as Koha's tables would not
    despite_locks( $dbh, sub { return $dbh->do(<<"SQL") } );
CREATE TABLE IF NOT EXISTS $name (
    event_id VARCHAR(128) NOT NULL,
    seq BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    told MEDIUMTEXT NULL,
    stored_at BIGINT NOT NULL,
    ask_at BIGINT NOT NULL,
    scan_key VARCHAR(64) NULL,
    scan_until BIGINT NULL,
    PRIMARY KEY (event_id),
    KEY stored_at (stored_at),
    KEY scan_key (scan_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
SQL

    ensure_columns( $dbh, $name, 'scan_key',
        'ADD COLUMN scan_key VARCHAR(64) NULL, ADD COLUMN scan_until BIGINT NULL, ADD KEY scan_key (scan_key)'
    );

    return;
}

=head2 drop_table

    drop_table( $dbh, $name );

Safe to repeat.

=cut

sub drop_table {
    my ( $dbh, $name ) = @_;

    $dbh->do("DROP TABLE IF EXISTS $name");

    return;
}

1;

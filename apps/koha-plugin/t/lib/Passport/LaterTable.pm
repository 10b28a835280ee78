package Passport::LaterTable;

# A table of the plugin of which a later version has two columns more, and what it was before.

use Modern::Perl;

use base qw( Koha::Plugin::Org::PatronPassport::Table );

my $NAME = 'koha_plugin_org_patronpassport_later';

# A new one as the version before has made it, with a row.
sub older {
    my ( $class, $dbh ) = @_;

    $dbh->do($_)
        foreach "DROP TABLE IF EXISTS $NAME", "CREATE TABLE $NAME (id BIGINT NOT NULL PRIMARY KEY)",
        "INSERT INTO $NAME VALUES (7)";

    return $class->on($dbh);
}

sub on {
    my ( $class, $dbh ) = @_;

    return $class->new( { dbh => $dbh, table => $NAME } );
}

sub definition {
    my ( $class, $table ) = @_;

    return (
        key    => 'id',
        create => "CREATE TABLE IF NOT EXISTS $table (id BIGINT NOT NULL PRIMARY KEY, later BIGINT NULL,"
            . ' later_key VARCHAR(64) NULL)',
        changes => [
            [ later     => 'ADD COLUMN later BIGINT NULL' ],
            [ later_key => 'ADD COLUMN later_key VARCHAR(64) NULL' ],
        ],
    );
}

1;

package Koha::Database;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;

sub new {
    my ($class) = @_;

    return bless {}, $class;
}

sub schema {
    my ($self) = @_;

    return $self;
}

sub txn_do {
    my ( undef, $work ) = @_;

    my $dbh = C4::Context->dbh;
    $dbh->begin_work;
    my $result;
    if ( !eval { $result = $work->(); 1 } ) {
        my $error = $@;
        $dbh->rollback;
        die $error;
    }
    $dbh->commit;

    return $result;
}

1;

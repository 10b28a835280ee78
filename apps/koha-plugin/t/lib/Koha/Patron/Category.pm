package Koha::Patron::Category;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;

sub new {
    my ( $class, $row ) = @_;

    return bless { %{$row} }, $class;
}

sub store {
    my ($self) = @_;

    my @columns = sort keys %{$self};
    C4::Context->dbh->do(
        sprintf(
            'INSERT INTO categories (%s) VALUES (%s)',
            join( q{, }, @columns ),
            join q{, }, (q{?}) x @columns
        ),
        undef,
        @{$self}{@columns}
    );

    return $self;
}

1;

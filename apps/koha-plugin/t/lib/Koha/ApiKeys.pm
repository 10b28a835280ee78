package Koha::ApiKeys;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;
use Koha::ApiKey;

sub search {
    my ( $class, $where ) = @_;

    my @columns = sort keys %{$where};
    my $rows    = C4::Context->dbh->selectall_arrayref(
        'SELECT * FROM api_keys WHERE ' . join( ' AND ', map {"$_ = ?"} @columns ),
        { Slice => {} },
        @{$where}{@columns}
    );

    return bless [ map { Koha::ApiKey->new($_) } @{$rows} ], $class;
}

sub count {
    my ($self) = @_;

    return scalar @{$self};
}

sub as_list {
    my ($self) = @_;

    return @{$self};
}

1;

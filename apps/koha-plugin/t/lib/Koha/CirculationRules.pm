package Koha::CirculationRules;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;
use Koha::CirculationRule;

sub search {
    my ( $class, $where ) = @_;

    my $rows = C4::Context->dbh->selectall_arrayref(
        'SELECT * FROM circulation_rules WHERE categorycode = ? ORDER BY id',
        { Slice => {} },
        $where->{categorycode}
    );

    return bless { rows => $rows }, $class;
}

sub as_list {
    my ($self) = @_;

    return map { Koha::CirculationRule->new($_) } @{ $self->{rows} };
}

1;

package Koha::Patron::Categories;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;
use Koha::Patron::Category;

sub find {
    my ( undef, $code ) = @_;

    my $row
        = C4::Context->dbh->selectrow_hashref( 'SELECT * FROM categories WHERE categorycode = ?', undef, $code );

    return $row ? Koha::Patron::Category->new($row) : undef;
}

1;

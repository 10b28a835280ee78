package Koha::Patrons;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;
use Koha::Patron;

sub find {
    my ( undef, $key ) = @_;

    my ( $column, $number ) = ref $key ? %{$key} : ( borrowernumber => $key );
    my $row = C4::Context->dbh->selectrow_hashref( "SELECT * FROM borrowers WHERE $column = ?", undef, $number );

    # whoever is logged in is there, without a row among those that a test counts
    my $user = ( C4::Context->userenv // {} )->{number} // 0;
    $row //= { borrowernumber => $number } if !ref $key && $number && $number eq $user;

    return $row ? Koha::Patron->new($row) : undef;
}

1;

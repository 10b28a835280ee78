package Koha::Patron::Restriction::Types;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;
use Koha::Patron::Restriction::Type;

sub find {
    my ( undef, $code ) = @_;

    my $row = C4::Context->dbh->selectrow_hashref( 'SELECT * FROM restriction_types WHERE code = ?',
        undef, $code );

    return $row ? Koha::Patron::Restriction::Type->new($row) : undef;
}

1;

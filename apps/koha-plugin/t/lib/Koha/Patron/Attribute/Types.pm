package Koha::Patron::Attribute::Types;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;
use Koha::Patron::Attribute::Type;

sub find {
    my ( $class, $code ) = @_;

    my ($found) = grep { $_->unblessed->{code} eq $code } $class->search->as_list;

    return $found;
}

sub search {
    my ($class) = @_;

    my $rows = C4::Context->dbh->selectall_arrayref( 'SELECT * FROM borrower_attribute_types ORDER BY code',
        { Slice => {} } );

    return bless { rows => $rows }, $class;
}

sub as_list {
    my ($self) = @_;

    return map { Koha::Patron::Attribute::Type->new($_) } @{ $self->{rows} };
}

1;

package Koha::Patron::Restriction::Type;

# Stands in for Koha's class in these tests.

use Modern::Perl;

use C4::Context;

sub new {
    my ( $class, $row ) = @_;

    return bless { %{$row} }, $class;
}

sub store {
    my ($self) = @_;

    C4::Context->dbh->do(
        'INSERT INTO restriction_types (code, display_text, is_system, is_default) VALUES (?, ?, ?, ?)',
        undef, @{$self}{qw( code display_text is_system is_default )} );

    return $self;
}

1;

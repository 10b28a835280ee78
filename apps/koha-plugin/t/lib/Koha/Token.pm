package Koha::Token;

# Stands in for Koha's class in these tests.

use Modern::Perl;

sub new {
    my ($class) = @_;

    return bless {}, $class;
}

sub generate_csrf {
    my ( undef, $args ) = @_;

    return "token-of-$args->{session_id}";
}

sub check_csrf {
    my ( undef, $args ) = @_;

    return ( $args->{token} // q{} ) eq "token-of-$args->{session_id}";
}

1;

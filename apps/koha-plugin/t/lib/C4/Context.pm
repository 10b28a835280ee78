package C4::Context;

# Stands in for Koha's class in these tests: what a test puts in is what Koha says.

use Modern::Perl;

our %CONFIG;
our %PREFERENCE;
our $USERENV;
our $DBH;

sub config {
    my ( undef, $name ) = @_;

    return $CONFIG{$name};
}

sub preference {
    my ( undef, $name ) = @_;

    return $PREFERENCE{$name};
}

sub set_preference {
    my ( undef, $name, $value ) = @_;

    $PREFERENCE{$name} = $value;

    return 1;
}

sub userenv {
    return $USERENV;
}

sub dbh {
    return $DBH;
}

1;

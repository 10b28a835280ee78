package Koha;

# Stands in for Koha's class in these tests.

use Modern::Perl;

sub version {
    return '24.11.05.000';
}

1;

package C4::Languages;

# Stands in for Koha's module in these tests: the language of a page is that of its cookie, or English.

use Modern::Perl;

sub getlanguage {
    my ($cgi) = @_;

    return ( $cgi && $cgi->cookie('KohaOpacLanguage') ) || 'en';
}

1;

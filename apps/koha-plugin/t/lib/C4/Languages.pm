package C4::Languages;

# Stands in for Koha's module in these tests: the language of a page is that of its cookie, or English.

use Modern::Perl;

sub getlanguage {
    my ($cgi) = @_;

    return $cgi->cookie('KohaOpacLanguage') || 'en' if $cgi;

    my ($language) = ( $ENV{HTTP_COOKIE} // q{} ) =~ m{\b KohaOpacLanguage = ( [\w-]+ )}xms;

    return $language // 'en';
}

1;

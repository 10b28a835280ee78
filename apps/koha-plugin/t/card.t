use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Test::More;

use C4::Context;
use Koha::Plugin::Org::PatronPassport::Card qw( compiled fits scan_key trimmed );
use Koha::Plugin::Org::PatronPassport::Settings;

my $none = bless { card_patterns => q{} }, 'Koha::Plugin::Org::PatronPassport::Settings';
my $some = bless { card_patterns => "^21234\\d{9}\$\r\n\r\n ^25678\\d{9}\$ \n" },
    'Koha::Plugin::Org::PatronPassport::Settings';

subtest 'T-04 without patterns a name is no card, and a card is one' => sub {
    ok( fits( $_,  $none->patterns ), "a card: $_" ) foreach qw( 21234000000017 P123456 lib-0042 ABC.1234 );
    ok( !fits( $_, $none->patterns ), "no card: $_" )
        foreach ( 'Smith', 'Smith, John', 'van der Berg', 'O\'Hara', '1', '17', q{}, q{   } );
    ok( !fits( undef, $none->patterns ), 'no card: nothing' );
};

subtest 'T-04 with patterns only what fits one is a card' => sub {
    ok( fits( $_,  $some->patterns ), "a card: $_" ) foreach ( '21234000000017', ' 25678000000017 ' );
    ok( !fits( $_, $some->patterns ), "no card: $_" )
        foreach qw( 39999000012345 2123400000001 212340000000170 Smith 1 );
    ok( !fits( "2123400000001\x{0667}", $some->patterns ), 'no card: digits of another script' );
};

subtest 'T-04 a text that the contract would refuse is never sent' => sub {
    ok( !fits( '9' x 33,           ['9+'] ), 'too long' );
    ok( fits( '9' x 32,            ['9+'] ), 'just not too long' );
    ok( !fits( '9' x 300,          ['9+'] ), 'far too long' );
    ok( !fits( "9\x{0}9",          ['9'] ),  'a NUL' );
    ok( !fits( "21234\n000000017", ['\d'] ), 'a line break inside' );
    ok( !fits( "21234\t000000017", ['\d'] ), 'a tab inside' );
};

is( trimmed(" 17 \r\n"), '17',  'what a scanner adds is taken off' );
is( compiled('('),       undef, 'a broken pattern is none' );
ok( !fits( '17', ['('] ), 'and fits nothing' );
is( compiled('(?{ die })'), undef, 'a pattern is not a program' );

subtest 'two scans of one card have the same key, blanks or not, and no other card or secret has it' => sub {
    my $key = scan_key( '21234000000017', 'k' x 24 );
    like( $key, qr{\A [0-9a-f]{64} \z}xms, 'a hash' );
    is( scan_key( " 21234000000017\n", 'k' x 24 ), $key, 'blanks do not count' );
    isnt( scan_key( '21234000000018',       'k' x 24 ), $key, 'another card' );
    isnt( scan_key( '21234000000017',       'l' x 24 ), $key, 'another secret' );
    like( scan_key( "\x{17d}ivko-\x{416}7", 'k' x 24 ), qr{\A [0-9a-f]{64} \z}xms, 'any letters' );
};

done_testing;

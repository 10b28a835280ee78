use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Mojo::JSON qw( decode_json );
use POSIX      qw( tzset );
use Test::More;

use Koha::Plugin::Org::PatronPassport::Event qw( event new_id not_found seen timestamp );

my %SCAN = (
    card      => '21234000000017',
    branch    => 'MAIN',
    interface => 'staff',
    operator  => 51,
    now       => 1795597200.25
);

sub built {
    my (%changed) = @_;

    return decode_json( not_found( { %SCAN, %changed } ) );
}

local $ENV{TZ} = 'UTC';
tzset();

is_deeply(
    built(),
    {   type      => 'patron.not_found',
        timestamp => '2026-11-25T09:00:00.250+00:00',
        data => { cardnumber => '21234000000017', branch => 'MAIN', interface => 'staff', operator => 51 },
    },
    'a scan at the desk becomes the event of the contract, without an item'
);

is( built( item => '39999000012345' )->{data}{item_barcode}, '39999000012345',
    'an item that waits is named' );
ok( !exists built( item     => q{} )->{data}{item_barcode}, 'an empty item is not' );
ok( !exists built( operator => undef )->{data}{operator},   'nobody in particular is left out' );
ok( !exists built( operator => 'root' )->{data}{operator},  'an operator that is no number is left out' );

like(
    not_found( { %SCAN, card => 17, operator => '51' } ),
    qr{"cardnumber":"17".*"operator":51[,\}]}xms,
    'a card is text and an operator a number, whatever Perl took them for'
);
is( built( card => "\x{1D7D7}\x{E9}" )->{data}{cardnumber}, "\x{1D7D7}\x{E9}", 'any letter survives' );

subtest 'the time is given at the local offset, to the millisecond' => sub {
    my %expected = (
        'UTC'              => '2026-11-25T09:00:00.250+00:00',
        'Europe/Berlin'    => '2026-11-25T10:00:00.250+01:00',
        'America/St_Johns' => '2026-11-25T05:30:00.250-03:30',
        'Asia/Kathmandu'   => '2026-11-25T14:45:00.250+05:45',
    );
    foreach my $zone ( sort keys %expected ) {
        local $ENV{TZ} = $zone;
        tzset();
        is( timestamp(1795597200.25), $expected{$zone}, $zone );
    }
    tzset();
    is( timestamp(1795597200.9999), '2026-11-25T09:00:00.999+00:00', 'never a second that has not come yet' );
};

is_deeply(
    decode_json( seen( '812', 1795597200.25 ) )->{data},
    { patron_id => 812 },
    'a copy that was scanned has its number, and nothing else of the patron'
);

is( decode_json( event( 'passport.test', {}, 1795597200 ) )->{type}, 'passport.test', 'a test event says that it is one' );

subtest 'ids' => sub {
    my %seen = map { new_id() => 1 } 1 .. 1000;
    is( scalar keys %seen,                                         1000, 'no id comes twice' );
    is( ( grep { !m{\A [A-Za-z0-9_-]{1,128} \z}xms } keys %seen ), 0, 'all are as the contract wants them' );
};

done_testing;

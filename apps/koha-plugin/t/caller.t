use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Test::More;

use C4::SIP::Sip::MsgType;
use Koha::Patron;
use Passport::TestKoha;
use Passport::TestReceiver;

my $CARD = '21234000000017';

# Scans nobody waits for: what was sent is what counts here.
sub sent_by {
    my ( $scan, %settings ) = @_;

    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url, staff_wait => 0, self_check_wait => 0, %settings );
    $scan->($koha);

    return map { Mojo::JSON::decode_json( $_->{body} )->{data}{interface} } $receiver->requests;
}

subtest 'T-05 a card that was scanned for a checkout is reported, and where' => sub {
    is_deeply( [ sent_by( sub { shift->page( 'circ/circulation.pl', "findborrower=$CARD" ) } ) ],
        ['staff'], 'at the desk' );
    is_deeply( [ sent_by( sub { shift->page( 'opac/sco/sco-main.pl', "patronid=$CARD" ) } ) ],
        ['self_check'], 'at the self-check' );
    is_deeply( [ sent_by( sub { C4::SIP::Sip::MsgType::handle_checkout($CARD) } ) ],
        ['sip'], 'SIP: checkout' );
    is_deeply( [ sent_by( sub { C4::SIP::Sip::MsgType::handle_patron_info($CARD) } ) ],
        ['sip'], 'SIP: patron information' );
};

subtest 'a SIP account that is not named as a kiosk reports nothing, as that of an e-book vendor' => sub {
    my %sent = (
        "term1\nebooks" => 0,
        "desk1x\ndesk"  => 0,
        'DESK1'         => 0,
        q{}             => 0,
        "term1\ndesk1"  => 1,
    );
    foreach my $named ( sort keys %sent ) {
        my @scans = map {
            my $message = C4::SIP::Sip::MsgType->can($_);
            sent_by( sub { $message->($CARD) }, sip => $named )
        } qw( handle_checkout handle_patron_info );
        is( scalar @scans, 2 * $sent{$named}, "named: $named" );
    }
    my $nobody = sub { local $C4::Context::USERENV = { branch => 'MAIN' }; C4::SIP::Sip::MsgType::handle_checkout($CARD) };
    is_deeply( [ sent_by($nobody) ], [], 'nor does one without a login' );
};

subtest 'T-04 T-05 whatever else calls the hook reports nothing' => sub {
    my %scan = (
        'an item barcode, with AutoSwitchPatron' => sub {
            local $C4::Context::PREFERENCE{AutoSwitchPatron} = 1;
            shift->page( 'circ/circulation.pl', "borrowernumber=1&barcode=$CARD" );
        },
        'an item barcode beside a card' =>
            sub { shift->page( 'circ/circulation.pl', "findborrower=$CARD&barcode=$CARD" ) },
        'a save of a patron, as by POST /patrons' =>
            sub { Koha::Patron->new( { cardnumber => $CARD } )->store },
        'a number that Koha makes up' => sub { Koha::Patron->new( {} )->fixup_cardnumber },
        'the patron form'             => sub { shift->page( 'members/memberentry.pl', "cardnumber=$CARD" ) },
        'SIP: block patron'           => sub { C4::SIP::Sip::MsgType::handle_block_patron($CARD) },
        'SIP: fee paid'               => sub { C4::SIP::Sip::MsgType::handle_fee_paid($CARD) },
        'somebody who calls the plugin' => sub { shift->{plugin}->patron_barcode_transform( \$CARD ) },
        'a plugin of another library'   => sub { Koha::Plugins->call( 'patron_barcode_transform', \$CARD ) },
    );
    is_deeply( [ sent_by( $scan{$_} ) ], [], $_ ) foreach sort keys %scan;
};

subtest 'what a page of another site opens is no scan; what the clerk or a page of Koha opens is' => sub {
    my %scan = (
        staff      => sub { shift->page( 'circ/circulation.pl',  "findborrower=$CARD" ) },
        self_check => sub { shift->page( 'opac/sco/sco-main.pl', "patronid=$CARD" ) },
    );
    my %counts = ( 'cross-site' => 0, 'same-site' => 0, 'same-origin' => 1, none => 1, 'whatever comes' => 1 );
    foreach my $where ( sort keys %scan ) {
        foreach my $site ( sort keys %counts ) {
            local $ENV{HTTP_SEC_FETCH_SITE} = $site;
            is( scalar( () = sent_by( $scan{$where} ) ), $counts{$site}, "$where: $site" );
        }
    }
};

subtest 'an item barcode causes no database query' => sub {
    my $koha = Passport::TestKoha->new;
    local $C4::Context::PREFERENCE{AutoSwitchPatron} = 1;
    is_deeply(
        [   $koha->statements_of(
                sub { $koha->page( 'circ/circulation.pl', "borrowernumber=1&barcode=$CARD" ) }
            )
        ],
        [],
        'no statement'
    );
};

subtest 'a form that is sent by POST is recognised too' => sub {
    no warnings 'redefine';
    my @data;
    local *CGI::read_from_client = sub { ${ $_[1] } = shift @data; return length ${ $_[1] } };

    my $post = sub {
        my ( $koha, $body ) = @_;
        local $ENV{CONTENT_LENGTH} = length $body;
        local $ENV{CONTENT_TYPE}   = 'application/x-www-form-urlencoded';
        @data = ($body);
        local $C4::Context::PREFERENCE{AutoSwitchPatron} = 1;
        $koha->page( 'circ/circulation.pl', q{}, 'POST' );
    };
    is_deeply( [ sent_by( sub { $post->( shift, "findborrower=$CARD" ) } ) ], ['staff'], 'a card' );
    is_deeply( [ sent_by( sub { $post->( shift, "barcode=$CARD&borrowernumber=1&op=cud-checkout" ) } ) ],
        [], 'an item' );
};

done_testing;

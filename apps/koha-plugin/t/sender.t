use Modern::Perl;

# The look-up that blocks is tested, whatever is installed here.
BEGIN { $ENV{MOJO_NO_NNR} = 1 }

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use IO::Socket::IP ();
use Socket         ();
use Test::Mojo;
use Test::More;
use Time::HiRes qw( sleep time );

use Koha::Plugin::Org::PatronPassport::Sender;
use Passport::TestApi;
use Passport::TestKoha;
use Passport::TestReceiver;

my $CARD = '21234000000017';

# A name server that does not answer for a while: the agent's own limits do not run in the meantime.
my $lookups      = 0;
my $hanging_s    = 0;
my $real_look_up = \&IO::Socket::IP::getaddrinfo;
{
    no warnings 'redefine';
    *IO::Socket::IP::getaddrinfo = sub {
        $lookups++;
        sleep $hanging_s if $hanging_s;
        return $hanging_s ? Socket::EAI_AGAIN() : $real_look_up->(@_);
    };
}

our $AHEAD_S = 0;
my $real_now = \&Koha::Plugin::Org::PatronPassport::Sender::steady_time;
{
    no warnings 'redefine';
    *Koha::Plugin::Org::PatronPassport::Sender::steady_time = sub () { return $AHEAD_S + $real_now->() };
}

# Each subtest has an address of its own, and with it a pause of its own.
sub koha_of {
    my ( $receiver, %configured ) = @_;

    my $koha = Passport::TestKoha->new;
    $koha->configure( receiver_url => $receiver->url, %configured );

    return $koha;
}

sub sender_of {
    my ($koha) = @_;

    return Koha::Plugin::Org::PatronPassport::Sender->new( $koha->{plugin}->settings );
}

sub deliver {
    my ( $sender, $limit_s ) = @_;

    return $sender->deliver( 'scan_1', '{}', $limit_s );
}

subtest 'T-16 a name server that hangs costs one exchange, and then nothing for 30 seconds' => sub {
    my $receiver = Passport::TestReceiver->start('accepts');
    my $koha     = koha_of($receiver);
    $hanging_s = 1.1;
    my $answer = deliver( sender_of($koha) );
    is( $answer->{kind}, 'unreachable', 'the first one waits for the name' );
    cmp_ok( $answer->{ms}, '>', 1000, 'longer than its limit' );

    $lookups = 0;
    my $started = time;
    my $paused  = { kind => 'unreachable', why => 'paused', retry_after => 30, ms => 0 };
    is_deeply( deliver( sender_of($koha) ),       $paused, 'an event is held back, in another sender too' );
    is_deeply( sender_of($koha)->query('scan_1'), $paused, 'so does a query' );
    cmp_ok( time - $started, '<', 0.2, 'at once' );
    is( $lookups, 0, 'the name is not looked up' );

    $hanging_s = 0;
    local $AHEAD_S = 29;
    is( deliver( sender_of($koha) )->{why}, 'paused', '29 seconds later too' );
    local $AHEAD_S = 32;
    is( deliver( sender_of($koha) )->{kind}, 'accepted', 'after 30 seconds it is tried again' );
};

subtest 'the test event of the configuration page is sent all the same, and starts no pause' => sub {
    my $receiver = Passport::TestReceiver->start('accepts');
    my $koha     = koha_of($receiver);
    $hanging_s = 1.1;
    deliver( sender_of($koha), 5 );
    $hanging_s = 0;
    is( deliver( sender_of($koha) )->{kind}, 'accepted', 'a slow test event starts no pause' );

    $hanging_s = 1.1;
    deliver( sender_of($koha) );
    $hanging_s = 0;
    is( deliver( sender_of($koha) )->{why},     'paused',   'an event is held back' );
    is( deliver( sender_of($koha), 5 )->{kind}, 'accepted', 'a test event does not' );
};

subtest 'a receiver that fails within its limit is tried again' => sub {
    my $receiver = Passport::TestReceiver->start('hangs');
    my $koha     = koha_of($receiver);
    is( deliver( sender_of($koha) )->{why}, 'timeout', 'once' ) foreach 1 .. 2;
    is( $receiver->requests,                2,         'twice' );
};

subtest 'another address is not paused with the first' => sub {
    my $koha = koha_of( Passport::TestReceiver->start('accepts') );
    $hanging_s = 1.1;
    deliver( sender_of($koha) );
    $hanging_s = 0;
    my $other = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $other->url );
    is( deliver( sender_of($koha) )->{kind}, 'accepted', 'a corrected configuration is used at once' );
};

subtest 'T-16 hook and panel pause together: the hook says nothing, the panel learns when to try again' =>
    sub {
    my $receiver = Passport::TestReceiver->start('accepts');
    my $koha     = koha_of($receiver);
    my $t        = Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) );
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    $hanging_s = 1.1;
    $koha->page( 'circ/circulation.pl', "findborrower=$CARD" );
    is( scalar @warnings, 1, 'the scan that waited for the name is in the log' );

    my $started = time;
    $koha->page( 'circ/circulation.pl', "findborrower=$CARD" );
    cmp_ok( time - $started, '<', 0.5, 'the next one costs nothing' );
    is( scalar @warnings, 1, 'and no line' );
    $hanging_s = 0;
    $t->post_ok( '/api/v1/contrib/passport/scans' => json => { cardnumber => $CARD } )
        ->status_is(503)
        ->json_is( '/error_code' => 'receiver_unreachable' )
        ->header_is( 'Retry-After' => 30 );
    is( $receiver->requests, 0, 'the receiver heard nothing' );
    };

done_testing;

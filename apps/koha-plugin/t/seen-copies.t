use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Mojo::JSON qw( decode_json );
use Test::More;
use Time::HiRes qw( time );

use C4::SIP::Sip::MsgType;
use IO::Select ();
use IO::Socket::INET ();
use Koha::BackgroundJob;
use Passport::TestKoha;
use Passport::TestReceiver;

my $CARD  = '21234000000017';
my $TABLE = 'koha_plugin_org_patronpassport_copies';
my $DAY_S = 24 * 60 * 60;

# A Koha with one copy, which the service made the day before yesterday.
sub koha_with_copy {
    my ( $how, %settings ) = @_;

    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start( $how // 'accepts' );
    $koha->configure( receiver_url => $receiver->url, %settings );
    $koha->add_patron( $CARD, 'okafor' );
    $koha->{plugin}->copies->keep( 1, { version => 0, home_key => 'midland:8', fields => {} } );
    was_seen_before( $koha, 2 * $DAY_S );

    return ( $koha, $receiver );
}

sub was_seen_before {
    my ( $koha, $seconds ) = @_;

    $koha->{dbh}->do( "UPDATE $TABLE SET seen_at = ?", undef, int time - $seconds );

    return;
}

sub scan_at_desk {
    my ($koha) = @_;

    return $koha->page( 'circ/circulation.pl', "findborrower=$CARD" );
}

sub events_of {
    my ($receiver) = @_;

    return map { decode_json( $_->{body} ) } $receiver->requests;
}

subtest 'T-26 a scan of a copy is reported beside it: by its number, and nothing else of the patron' => sub {
    my ( $koha, $receiver ) = koha_with_copy();
    is( scan_at_desk($koha),        'circulation.pl?borrowernumber=1', 'the desk has its page' );
    is( scalar $receiver->requests, 0,                                 'and nothing was sent for it' );

    my ($job)   = Koha::BackgroundJob->work_off;
    my ($event) = events_of($receiver);
    is( $event->{type}, 'patron.seen', 'the background job sends it' );
    is_deeply( $event->{data}, { patron_id => 1 }, 'the number of the copy' );
    like( $event->{timestamp}, qr{\A 20\d\d-}xms, 'and when it was scanned' );
    is( $job->{status}, 'finished', 'the job is over' );
    is_deeply(
        decode_json( $job->{data} ),
        { messages => [], report => { end => 'accepted' } },
        'how it ended'
    );
    is( $job->{context}, '{}', 'who was logged in is in no job' );
};

subtest 'T-26 so it is at the self-check and for SIP' => sub {
    my %scan = (
        self_check => sub { shift->page( 'opac/sco/sco-main.pl', "patronid=$CARD" ) },
        sip        => sub { C4::SIP::Sip::MsgType::handle_checkout($CARD) },
        sip_login  => sub { C4::SIP::Sip::MsgType::handle_patron_info('okafor') },
    );
    foreach my $name ( sort keys %scan ) {
        my ($koha) = koha_with_copy();
        $scan{$name}->($koha);
        is( scalar( Koha::BackgroundJob->work_off ), 1, $name );
    }

    my ($koha) = koha_with_copy( accepts => sip => 'term1' );
    $scan{sip}->($koha);
    is( scalar( Koha::BackgroundJob->work_off ), 0, 'not by a SIP account that is no kiosk' );
    scan_at_desk($koha);
    is( scalar( Koha::BackgroundJob->work_off ), 1, 'which does not keep the desk from it' );
};

subtest 'T-26 once a day at most, and not on the day on which the copy was made' => sub {
    my ($koha) = koha_with_copy();
    scan_at_desk($koha) foreach 1 .. 3;
    is( scalar( Koha::BackgroundJob->work_off ), 1, 'once' );
    was_seen_before( $koha, $DAY_S - 60 );
    scan_at_desk($koha);
    is( scalar( Koha::BackgroundJob->work_off ), 1, 'not within a day' );
    was_seen_before( $koha, $DAY_S + 60 );
    scan_at_desk($koha);
    is( scalar( Koha::BackgroundJob->work_off ), 2, 'the next day again' );

    my $other = Passport::TestKoha->new->configure;
    $other->add_patron($CARD);
    $other->{plugin}->copies->keep( 1, { version => 0, home_key => 'midland:8', fields => {} } );
    scan_at_desk($other);
    is( scalar( Koha::BackgroundJob->work_off ), 0, 'made today' );

    my ($raced) = koha_with_copy();
    my $copies = $raced->{plugin}->copies;
    is_deeply(
        [ map { $copies->mark_seen( 1, int time, time - $DAY_S ) } 1 .. 2 ],
        [ 1, 0 ],
        'one of two desks'
    );
};

subtest 'where the service has the standing checked, at each visit: a minute after the last scan' => sub {
    my ($koha) = koha_with_copy();
    my %standing = ( is_good => 1, reasons => [], home_name => 'Midland' );
    $koha->{plugin}
        ->copies->keep( 1, { version => 1, home_key => 'midland:8', fields => {}, standing => \%standing } );
    foreach my $visit ( 1 .. 2 ) {
        was_seen_before( $koha, 61 );
        scan_at_desk($koha) foreach 1 .. 3;
        is( scalar( Koha::BackgroundJob->work_off ), $visit, "visit $visit" );
    }
};

subtest 'a message broker that takes the connection and does not answer holds the page up for a moment' => sub {
    my $socket = IO::Socket::INET->new( Listen => 1, LocalAddr => '127.0.0.1' ) or die "no socket: $@\n";
    local $Koha::BackgroundJob::BROKER = sub {
        my $broker = IO::Socket::INET->new( PeerAddr => '127.0.0.1', PeerPort => $socket->sockport );
        IO::Select->new($broker)->can_read(20);
        die "after 20 s\n";
    };
    my ($koha) = koha_with_copy();
    my ( $is_others, @warnings ) = (0);
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    local $SIG{ALRM}     = sub { $is_others = 1 };
    alarm 60;
    my $started = time;
    is( scan_at_desk($koha), 'circulation.pl?borrowernumber=1', 'the desk has its page' );
    cmp_ok( time - $started, '<', 3,  'soon' );
    cmp_ok( alarm 0,         '>', 50, 'the alarm of whoever called goes on' );
    like( "@warnings", qr{\A Cannot [ ] connect [ ] to [ ] broker [ ] [(]no [ ] answer}xms, 'Koha writes it down' );
    is( scalar( Koha::BackgroundJob->work_off ), 1, 'and has the job' );
    kill ALRM => $$;
    ok( $is_others, 'and so does its handler' );

    # as Net::Stomp does, which sleeps between its tries
    $Koha::BackgroundJob::BROKER = sub {
        foreach ( 1 .. 4 ) {
            my $broker = IO::Socket::INET->new( PeerAddr => '127.0.0.1', PeerPort => $socket->sockport );
            return if eval { IO::Select->new($broker)->can_read(20); 1 };
            sleep 5;
        }
    };
    ($koha) = koha_with_copy();
    $started = time;
    scan_at_desk($koha);
    cmp_ok( time - $started, '<', 4, 'also where whoever waits for it takes the first end for a try that failed' );

    $Koha::BackgroundJob::BROKER = sub { };
    ($koha) = koha_with_copy();
    scan_at_desk($koha);
    is( alarm 0, 0, 'where nobody waits for one, none is left' );
};

subtest 'nobody else is reported, and nobody where it is switched off' => sub {
    my ( $koha, $receiver ) = koha_with_copy();
    $koha->add_patron('25678000000012');
    $koha->page( 'circ/circulation.pl', 'findborrower=25678000000012' );
    is( scalar( Koha::BackgroundJob->work_off ), 0, 'an own patron' );

    ($koha) = koha_with_copy( accepts => copies => 0 );
    scan_at_desk($koha);
    is( scalar( Koha::BackgroundJob->work_off ), 0, 'switched off' );

    ( $koha, $receiver ) = koha_with_copy();
    scan_at_desk($koha);
    $koha->configure( receiver_url => $receiver->url, copies => 0 );
    my ($job) = Koha::BackgroundJob->work_off;
    is( decode_json( $job->{data} )->{report}{end}, 'off', 'switched off since' );
    is( scalar $receiver->requests,                 0,     'nothing was sent' );
};

subtest 'a copy costs the desk a few statements once a day, and one at its other scans' => sub {
    my ($koha) = koha_with_copy();
    my $more = sub {
        my @with = $koha->statements_of( sub { scan_at_desk($koha) } );
        local @Koha::Plugins::ENABLED = ();
        return @with - $koha->statements_of( sub { scan_at_desk($koha) } );
    };
    is( $more->(), 4, 'the look-up, the settings, the mark and the job' );
    is( $more->(), 1, 'the look-up' );
};

subtest 'a receiver that does not answer, and a job that comes late, are no trouble' => sub {
    foreach my $how (qw( hangs status_503 garbage )) {
        my ($koha) = koha_with_copy($how);
        scan_at_desk($koha);
        my ($job) = Koha::BackgroundJob->work_off;
        is( $job->{status}, 'finished', $how );
    }
    my ( $koha, $receiver ) = koha_with_copy();
    scan_at_desk($koha);
    my $now = time;
    no warnings 'redefine';
    local *Time::HiRes::time = sub { return $now + 3600 };
    my ($job) = Koha::BackgroundJob->work_off;
    is( decode_json( $job->{data} )->{report}{end}, 'late', 'an hour late' );
    is( scalar $receiver->requests,                 0,      'nothing was sent' );
};

subtest 'T-16 where the job cannot be stored, Koha goes on as always' => sub {
    my ($koha) = koha_with_copy();
    $koha->{dbh}->do('DROP TABLE background_jobs');
    local $koha->{dbh}{PrintError} = 0;
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    is( scan_at_desk($koha), 'circulation.pl?borrowernumber=1', 'the desk has its page' );
    is( scalar @warnings,    1,                                 'one line in the log' );
    unlike( "@warnings", qr{$CARD}xms, 'without the card' );
};

done_testing;

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Test::More;
use Time::HiRes qw( sleep time );

use C4::SIP::Sip::MsgType;
use Koha::Plugin::Org::PatronPassport::FirstScan qw( unknown_branch );
use Koha::Plugin::Org::PatronPassport::Scans;
use Passport::TestKoha;
use Passport::TestReceiver;

my $CARD = '21234000000017';

sub timed_ms {
    my ($work) = @_;

    my $started = time;
    my $result  = $work->();

    return ( $result, 1000 * ( time - $started ) );
}

sub scan_at_desk {
    my ( $koha, $card ) = @_;

    return timed_ms( sub { $koha->page( 'circ/circulation.pl', 'findborrower=' . ( $card // $CARD ) ) } );
}

# The service: the copy is there some time after the scan was reported to it.
sub service_that_copies {
    my ( $koha, $after_s ) = @_;

    return Passport::TestReceiver->start(
        'accepts',
        sub {
            sleep $after_s;
            $koha->connect;
            $koha->add_patron($CARD);
        }
    );
}

subtest 'an ordinary checkout costs one query over an index, no request and no wait' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url );
    $koha->add_patron( '25678000000012', 'otto' );

    my %scan = (
        staff      => sub { $koha->page( 'circ/circulation.pl',  'findborrower=25678000000012' ) },
        self_check => sub { $koha->page( 'opac/sco/sco-main.pl', 'patronid=25678000000012' ) },
        sip_card   => sub { C4::SIP::Sip::MsgType::handle_checkout('25678000000012') },
        sip_login  => sub { C4::SIP::Sip::MsgType::handle_patron_info('otto') },
    );
    foreach my $name ( sort keys %scan ) {
        my @with = $koha->statements_of( $scan{$name} );
        local @Koha::Plugins::ENABLED = ();
        my @without = $koha->statements_of( $scan{$name} );
        is( @with - @without, 1, "$name: one statement more than Koha's own" );
        ok( Passport::TestDatabase::is_by_index( $koha->{dbh}, $with[0] ), "$name: by an index" );
    }
    is( $receiver->requests, 0, 'the receiver heard nothing' );

    my ( undef, $hundred_ms ) = timed_ms( sub { $scan{staff}->() foreach 1 .. 100 } );
    cmp_ok( $hundred_ms, '<', 2000, 'a hundred of them take ' . int($hundred_ms) . ' ms' );
};

subtest 'a card that is scanned with a blank before it is looked for here as it is reported' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url );
    $koha->add_patron( $CARD, 'okafor' );
    scan_at_desk( $koha, "%20$CARD" );
    is( $receiver->requests, 0, 'nothing is sent of a patron who is here' );

    $koha = Passport::TestKoha->new;
    my $service = service_that_copies( $koha, 0.2 );
    $koha->configure( receiver_url => $service->url, staff_wait => 5000 );
    my ( undef, $ms ) = scan_at_desk( $koha, "%20$CARD" );
    cmp_ok( $ms, '<', 4000, 'and the wait ends when the copy is there' );
};

subtest 'the barcode of an item here is reported to nobody, unless it may be a card where nobody can be asked' => sub {
    foreach my $case (
        [ '^21234\d{9}$', 'staff',      0 ],
        [ '^21234\d{9}$', 'self_check', 1 ],
        [ q{},             'staff',      0 ],
        [ q{},             'self_check', 0 ],
        )
    {
        my ( $patterns, $where, $sent ) = @{$case};
        my $koha     = Passport::TestKoha->new;
        my $receiver = Passport::TestReceiver->start('accepts');
        $koha->configure( receiver_url => $receiver->url, card_patterns => $patterns, self_check_wait => 0 );
        $koha->{dbh}->do( 'INSERT INTO items (barcode) VALUES (?)', undef, $CARD );
        if   ( $where eq 'staff' ) { scan_at_desk( $koha, "item: $CARD" ); scan_at_desk($koha) }
        else                       { $koha->page( 'opac/sco/sco-main.pl', "patronid=$CARD" ) }
        is( scalar $receiver->requests, $sent, "$where, " . ( $patterns || 'any card' ) );
    }
};

subtest 'the institution of a SIP account that is no branch is in the log, once, and kept for the status page' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url, self_check_wait => 0 );
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    C4::SIP::Sip::MsgType::handle_checkout($CARD);
    is_deeply( \@warnings, [], 'a branch: not a word' );

    local $C4::Context::USERENV = { branch => 'kohalibrary', number => 51, id => 'desk1' };
    C4::SIP::Sip::MsgType::handle_checkout($_) foreach $CARD, '21234000000025';
    is( scalar @warnings, 1, 'one line' );
    like( $warnings[0], qr{SIP [ ] account .* kohalibrary}xms, 'with its name' );
    is( unknown_branch( $koha->{plugin} ), 'kohalibrary', 'and it is kept' );
    my $week = 7 * 24 * 3600;
    is( unknown_branch( $koha->{plugin}, time + $week - 60 ), 'kohalibrary', 'for a week' );
    is( unknown_branch( $koha->{plugin}, time + $week + 60 ), undef,         'and no longer: it was corrected' );
    is( scalar $receiver->requests, 3, 'the scans are reported' );
};

subtest 'with the service working, the first scan finds the patron within the wait' => sub {
    my $koha    = Passport::TestKoha->new;
    my $service = service_that_copies( $koha, 0.2 );
    $koha->configure( receiver_url => $service->url, staff_wait => 3000 );

    my ( $page, $ms ) = scan_at_desk($koha);
    is( $page, 'circulation.pl?borrowernumber=1', 'the checkout opens in the same page load' );
    cmp_ok( $ms, '<', 1500, 'as soon as the patron is there' );

    my ($event) = map { Mojo::JSON::decode_json( $_->{body} ) } $service->requests;
    is_deeply(
        $event->{data},
        {   cardnumber => $CARD,
            branch     => 'MAIN',
            interface  => 'staff',
            operator   => 51,
            decides    => ['HOME_CHOICE'],
        },
        'the event had no item: Koha checks it out itself'
    );
};

subtest 'T-05 so it does at the self-check and for SIP' => sub {
    my %scan = (
        self_check => sub { shift->page( 'opac/sco/sco-main.pl', "patronid=$CARD" ) },
        sip        => sub { C4::SIP::Sip::MsgType::handle_checkout($CARD) },
    );
    foreach my $name ( sort keys %scan ) {
        my $koha    = Passport::TestKoha->new;
        my $service = service_that_copies( $koha, 0.2 );
        $koha->configure( receiver_url => $service->url, self_check_wait => 3000, staff_wait => 0 );
        like( $scan{$name}->($koha), qr{1}xms, $name );
    }
};

subtest 'a decision ends the wait' => sub {
    my $koha    = Passport::TestKoha->new;
    my $service = Passport::TestReceiver->start(
        'accepts',
        sub {
            my ($request) = @_;
            sleep 0.2;
            my $scans = Koha::Plugin::Org::PatronPassport::Scans->new(
                { dbh => $koha->connect, table => 'koha_plugin_org_patronpassport_scans' } );
            $scans->keep(
                {   event_id => $request->{headers}{'webhook-id'},
                    seq      => 2,
                    state    => 'done',
                    outcome  => 'NOT_FOUND'
                }
            );
        }
    );
    $koha->configure( receiver_url => $service->url, staff_wait => 4000 );

    my ( $page, $ms ) = scan_at_desk($koha);
    like( $page, qr{\A member[.]pl}xms, 'Koha says that it does not know the card' );
    cmp_ok( $ms, '<', 1500, 'without waiting to the end' );
};

subtest 'when the service takes its time, the page waits as long as it may and goes on' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url, staff_wait => 400 );

    my ( $page, $ms ) = scan_at_desk($koha);
    like( $page, qr{\A member[.]pl}xms, 'to the page for an unknown card' );
    cmp_ok( $ms, '>=', 390, 'after the wait' );
    cmp_ok( $ms, '<',  900, 'and not much later' );

    my ($request) = $receiver->requests;
    my $state = $koha->{plugin}->scans->fetch( $request->{headers}{'webhook-id'} );
    is( $state->{state}, 'queued', 'where the panel can follow the event' );
};

subtest 'a second scan of the same card waits for the event that it was coalesced with' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('coalesces');
    $koha->configure( receiver_url => $receiver->url, staff_wait => 2000 );
    $koha->{plugin}->scans->keep(
        { event_id => 'scan_first', seq => 4, state => 'failed', outcome => 'HOME_UNREACHABLE' } );

    my ( undef, $ms ) = scan_at_desk($koha);
    cmp_ok( $ms, '<', 600, 'which is already decided' );
};

subtest 'a page does not wait for a patron who has to agree first' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('coalesces');
    $koha->configure( receiver_url => $receiver->url, staff_wait => 2000 );
    my $consent = { text_id => 'v1', texts => { en => 'May we?' }, answer_by => '2026-11-26T09:05:00Z' };
    $koha->{plugin}
        ->scans->keep( { event_id => 'scan_first', seq => 3, state => 'waiting', consent => $consent } );

    my ( undef, $ms ) = scan_at_desk($koha);
    cmp_ok( $ms, '<', 600, 'the panel shows the question' );
};

subtest 'T-16 whatever the receiver does, the page goes on within 600 ms and Koha learns nothing of it' =>
    sub {
    foreach my $how (
        qw( down hangs drips hangs_up redirects status_401 status_429 status_503 garbage html truncated no_id )
        )
    {
        my ( $receiver, $page, $ms, @warnings );

        # Whoever else uses this machine may spoil a round; a fault of ours spoils every one.
        foreach my $round ( 1 .. 3 ) {
            my $koha = Passport::TestKoha->new;
            $receiver = Passport::TestReceiver->start( $how eq 'down' ? 'accepts' : $how );
            $receiver->stop if $how eq 'down';
            $koha->configure( receiver_url => $receiver->url, staff_wait => 2000 );

            @warnings = ();
            local $SIG{__WARN__} = sub { push @warnings, @_ };
            ( $page, $ms ) = scan_at_desk($koha);
            last if $ms < 600;
        }

        is( $page, "member.pl?circsearch=1&searchmember=$CARD", "$how: Koha goes on as always" );
        cmp_ok( $ms, '<', 600, "$how: after " . int($ms) . ' ms' );
        is( scalar( $receiver->requests ), $how eq 'down' ? 0 : 1, "$how: queried once" );
        is( scalar @warnings,              1,                      "$how: one line in the log" );
        like( $warnings[0], qr{\A Patron [ ] Passport: [ ] the [ ] receiver}xms, "$how: of ours" );
        unlike( $warnings[0], qr{$CARD}xms, "$how: without the card" );
    }
    };

subtest 'T-16 a fault of our own is written down without the card, and Koha goes on' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->configure;
    $koha->{dbh}->do('DROP TABLE plugin_data');

    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    my ($page) = scan_at_desk($koha);

    is( $page,            "member.pl?circsearch=1&searchmember=$CARD", 'Koha goes on as always' );
    is( scalar @warnings, 1,                                           'one line in the log' );
    like( $warnings[0], qr{\A Patron [ ] Passport: [ ] the [ ] hook [ ] failed}xms, 'of ours' );
    unlike( "@warnings", qr{$CARD}xms, 'without the card' );
};

subtest 'T-16 the words of an error do not reach the log: they can repeat the card' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->configure;
    no warnings 'redefine';
    local *Koha::Plugin::Org::PatronPassport::FirstScan::find_known
        = sub { die "Duplicate entry '$_[2]' for key 'cardnumber' at Some/Driver.pm line 17.\n" };

    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    my ($page) = scan_at_desk($koha);
    is( $page, "member.pl?circsearch=1&searchmember=$CARD", 'Koha goes on as always' );
    is_deeply(
        \@warnings,
        ["Patron Passport: the hook failed (error at Some/Driver.pm line 17)\n"],
        'only its kind and its place'
    );
};

subtest 'a class, a method or a file that is missing is named; a value that is taken for one is not' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->configure;
    my $log = sub {
        my ($work) = @_;
        no warnings 'redefine';
        local *Koha::Plugin::Org::PatronPassport::FirstScan::find_known = $work;
        my @warnings;
        local $SIG{__WARN__} = sub { push @warnings, @_ };
        scan_at_desk($koha);
        return "@warnings";
    };
    like( $log->( sub { Koha::NotLoaded->search } ), qr{no [ ] method [ ] search [ ] in [ ] Koha::NotLoaded}xms );
    like( $log->( sub { require Koha::NotThere } ),  qr{no [ ] file [ ] Koha/NotThere[.]pm}xms );
    like( $log->( sub { C4::NotThere::made() } ),    qr{no [ ] sub [ ] C4::NotThere::made}xms );
    my $value = "LAKE$CARD";
    unlike( $log->( sub { $value->search } ), qr{$CARD}xms, 'a card' );
};

subtest 'T-04 what is not shaped like a card is not sent' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url, staff_wait => 0 );

    scan_at_desk( $koha, $_ )
        foreach ( 'Smith', 'Smith%2C+John', '1', '39999000012345', '9' x 300, '%00', q{} );
    is( $receiver->requests, 0, 'nothing was sent' );
    scan_at_desk($koha);
    is( $receiver->requests, 1, 'and a card is' );
};

subtest 'each place can be switched off' => sub {
    my %scan = (
        staff      => sub { shift->page( 'circ/circulation.pl',  "findborrower=$CARD" ) },
        self_check => sub { shift->page( 'opac/sco/sco-main.pl', "patronid=$CARD" ) },
        sip        => sub { C4::SIP::Sip::MsgType::handle_checkout($CARD) },
    );
    foreach my $off ( sort keys %scan ) {
        my $koha     = Passport::TestKoha->new;
        my $receiver = Passport::TestReceiver->start('accepts');
        $koha->configure( receiver_url => $receiver->url, staff_wait => 0, self_check_wait => 0, $off => 0 );
        $scan{$_}->($koha) foreach sort keys %scan;
        is_deeply(
            [ sort map { Mojo::JSON::decode_json( $_->{body} )->{data}{interface} } $receiver->requests ],
            [ grep { $_ ne $off } sort keys %scan ],
            "only $off is silent"
        );
    }
};

subtest 'a plugin that is not set up does nothing' => sub {
    foreach my $missing (qw( receiver_url library secret )) {
        my $koha     = Passport::TestKoha->new;
        my $receiver = Passport::TestReceiver->start('accepts');
        $koha->configure( receiver_url => $receiver->url, $missing => q{} );
        my ( $page, $ms ) = scan_at_desk($koha);
        like( $page, qr{\A member[.]pl}xms, "without $missing Koha goes on" );
        is( $receiver->requests, 0, 'and nothing is sent' );
    }
};

subtest 'the card is returned as it came' => sub {
    my $koha = Passport::TestKoha->new;
    my $card = " $CARD ";
    Koha::Plugins->call( 'patron_barcode_transform', \$card );
    is( $card, " $CARD ", 'blanks and all' );
};

subtest 'somebody without a library sends nothing, and it is said why' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url );
    local $C4::Context::USERENV = undef;

    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    scan_at_desk($koha);
    is( $receiver->requests, 0, 'nothing was sent' );
    like( "@warnings", qr{without [ ] a [ ] library}xms, 'the log says it' );
};

done_testing;

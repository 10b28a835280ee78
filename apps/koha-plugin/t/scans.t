use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Mojo::JSON qw( encode_json );
use Test::More;

use Koha::Plugin::Org::PatronPassport::Scans;
use Passport::TestKoha;

our $NOW = 1_795_597_200;

my $KEY       = 'a' x 64;
my $OTHER_KEY = 'b' x 64;

sub scans_of {
    my ($koha) = @_;

    return Koha::Plugin::Org::PatronPassport::Scans->new(
        { dbh => $koha->{dbh}, table => 'koha_plugin_org_patronpassport_scans', now => sub { return $NOW } }
    );
}

sub state_of {
    my (%changed) = @_;

    return { event_id => 'scan_1', seq => 2, state => 'waiting', library => 'riverside', %changed };
}

subtest 'the highest seq is kept, in whatever order the states come' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    $scans->keep( state_of( seq => $_, message => "seq $_" ) ) foreach ( 2, 5, 3, 5, 1 );
    is( $scans->fetch('scan_1')->{message}, 'seq 5', 'seq 5 came second' );
};

subtest 'an end of the same seq is kept all the same: after a failover the service may count it once more' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    my $is    = sub { return join q{ }, @{ $scans->fetch('scan_1') }{qw( state message )} };
    $scans->keep( state_of( message => 'lost by the service' ) );
    $scans->keep( state_of( state   => 'done', message => 'ended', seq => 1 ) );
    is( $is->(), 'waiting lost by the service', 'one of before is not' );
    $scans->keep( state_of( state => 'done', message => 'ended' ) );
    is( $is->(), 'done ended', 'the end' );
    ok( $scans->is_decided('scan_1'), 'it is decided' );
    $scans->keep( state_of( state => $_, message => 'late' ) ) foreach qw( waiting failed );
    is( $is->(), 'done ended', 'and stays' );

    $scans = scans_of( Passport::TestKoha->new );
    $scans->keep( state_of( message => 'lost by the service' ) );
    $scans->keep_current( state_of( state => 'done', message => 'ended' ) );
    ok( $scans->is_decided('scan_1'), 'so it is by an answer of the receiver' );
    local $NOW = $NOW + 3600;
    ok( !$scans->may_query('scan_1'), 'which is asked no more' );
};

subtest 'what the receiver answers replaces the state of the same seq, and no later one' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    my $shown = sub { return $scans->fetch('scan_1')->{message} };
    $scans->keep_current( state_of( message => 'queried before anything was reported' ) );
    is( $shown->(), 'queried before anything was reported', 'kept as it is the first' );
    $scans->keep( state_of( message => 'reported again' ) );
    is( $shown->(), 'queried before anything was reported', 'a report of the same seq changes nothing' );
    $scans->keep_current( state_of( message => 'no worker' ) );
    is( $shown->(), 'no worker', 'an answer does' );
    $scans->keep( state_of( seq => 3, message => 'reported since' ) );
    $scans->keep_current( state_of( message => 'queried before that' ) );
    is( $shown->(), 'reported since', 'an answer that was overtaken does not' );
    $scans->keep_current( state_of( seq => 4, message => 'queried since' ) );
    is( $shown->(), 'queried since', 'a later one does' );
    $scans->keep( state_of( seq => 4, state => 'done', message => 'ended' ) );
    $scans->keep_current( state_of( seq => 4, message => 'queried before the end' ) );
    is( $shown->(), 'ended', 'none of the same seq replaces an end' );
    $scans->keep_current( state_of( seq => 4, state => 'done', message => 'ended, and no worker' ) );
    is( $shown->(), 'ended, and no worker', 'but an end' );
};

subtest 'an event is noted once, and what the service reported before that stays' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    $scans->note('scan_1');
    is_deeply( [ @{ $scans->fetch('scan_1') }{qw( event_id seq state homes )} ],
        [ 'scan_1', 0, 'queued', [] ], 'noted' );
    $scans->keep( state_of( seq => 1, state => 'done' ) );
    $scans->note('scan_1');
    is( $scans->fetch('scan_1')->{state}, 'done', 'reported' );
    is( $scans->fetch('scan_2'),          undef,  'another event is not known' );
    is( $scans->fetch('SCAN_1'),          undef,  'ids are distinguished by case' );
};

subtest 'it is decided when it is done or failed, or waits for the patron' => sub {
    my %final = ( queued => 0, working => 0, waiting => 0, done => 1, failed => 1 );
    foreach my $state ( sort keys %final ) {
        my $scans = scans_of( Passport::TestKoha->new );
        $scans->keep( state_of( state => $state ) );
        is( $scans->is_decided('scan_1'), $final{$state}, $state );
    }
    is( scans_of( Passport::TestKoha->new )->is_decided('scan_1'), 0, 'an event that is not known' );

    my $scans = scans_of( Passport::TestKoha->new );
    $scans->note('scan_1');
    is( $scans->is_decided('scan_1'), 0, 'one of which nothing is known' );
    $scans->keep( state_of( state => 'waiting', consent => { text_id => 'v1', texts => { en => 'May we?' } } ) );
    is( $scans->is_decided('scan_1'), 1, 'one that waits for the patron' );
    $scans->note('scan_2');
    my $asks = { question => 'HOME_CHOICE', options => [qw( midland lakeside )], answer_by => 'soon' };
    $scans->keep( state_of( event_id => 'scan_2', state => 'waiting', asks => $asks ) );
    is( $scans->is_decided('scan_2'), 1, 'one that waits for staff' );
};

subtest 'nothing but the fields of the contract is kept' => sub {
    my $koha  = Passport::TestKoha->new;
    my $scans = scans_of($koha);
    $scans->keep(
        state_of(
            cardnumber  => '21234000000017',
            surname     => 'Okafor',
            homes       => [ { id => 'midland', name => 'Midland', address => '1 Elm Street' }, 'lakeside' ],
            checkout    => { result => 'BLOCKED', keys => ['DEBT'], item_barcode => '39999000012345' },
            waiting_for => {
                library     => 'midland',
                reason      => 'NO_ANSWER',
                next_try_at => 'soon',
                gives_up_at => 'later',
                checkout_by => 'before',
                url         => 'https://x'
            },
            libraries => [ { id => 'midland', name => 'Midland', phone => 'Okafor' } ],
            problem   => ['Okafor'],
            observed  => { category => 'PT', name => 'Okafor' },
            consent   => {
                text_id   => 'v1',
                answer_by => 'soon',
                texts     => { en => 'May we?', '<b>' => 'Okafor', fr => ['Okafor'] },
                name      => 'Okafor'
            },
            asks      => { question => 'HOME_CHOICE', options => [ 'midland', ['Okafor'] ], name => 'Okafor' },
            reasons   => { name => 'Okafor' },
            message   => { text => 'Okafor' },
            patron_id => 'Okafor',
        )
    );
    my $stored = join q{}, map { $_ // q{} }
        map { @{$_} }
        @{ $koha->{dbh}->selectall_arrayref('SELECT * FROM koha_plugin_org_patronpassport_scans') };
    unlike( $stored, qr{Okafor | Elm | 21234000000017 | 39999000012345 | https}xms, 'in the table' );
    is_deeply(
        $scans->fetch('scan_1'),
        {   event_id    => 'scan_1',
            library     => 'riverside',
            seq         => 2,
            state       => 'waiting',
            outcome     => undef,
            reasons     => [],
            homes       => [ { id => 'midland', name => 'Midland' } ],
            patron_id   => undef,
            checkout    => { result  => 'BLOCKED', keys   => ['DEBT'] },
            waiting_for => {
                library     => 'midland',
                reason      => 'NO_ANSWER',
                next_try_at => 'soon',
                gives_up_at => 'later',
                checkout_by => 'before'
            },
            problem     => undef,
            observed    => { category => 'PT' },
            consent     => { text_id => 'v1', answer_by => 'soon', texts => { en => 'May we?' } },
            asks        => { question => 'HOME_CHOICE', options => ['midland'], answer_by => undef },
            attempt     => undef,
            libraries   => [ { id => 'midland', name => 'Midland' } ],
            message     => undef,
            scanned_at  => undef,
            updated_at  => undef,
        },
        'and in what is shown'
    );
};

subtest 'a state in any script is shown as the service reported it' => sub {
    my $koha  = Passport::TestKoha->new;
    my $scans = scans_of($koha);
    my $name  = "Biblioth\x{e8}que \x{141}\x{f3}d\x{17a} \x{5e2}\x{5d9}\x{5e8} \x{1f4da}";
    my $state = state_of( homes => [ { id => 'midland', name => $name } ] );
    $scans->keep($state);
    is( $scans->fetch('scan_1')->{homes}[0]{name}, $name, 'the name' );
    my ($stored) = $koha->{dbh}->selectrow_array('SELECT told FROM koha_plugin_org_patronpassport_scans');
    unlike( $stored, qr{[^\x{00}-\x{7f}]}xms, 'is stored in ASCII' );
};

subtest 'rows are kept a day' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    $scans->note('scan_old');
    local $NOW = $NOW + 24 * 3600;
    $scans->note('scan_new');
    ok( $scans->fetch('scan_old'), 'a day later it is there' );
    local $NOW = $NOW + 1;
    $scans->purge;
    is( $scans->fetch('scan_old'), undef, 'a second later it is not' );
    ok( $scans->fetch('scan_new'), 'the newer one is' );
};

subtest 'the event of a scan is handed to one page, for ten seconds' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    is( $scans->hand_out($KEY), undef, 'nothing was scanned' );
    $scans->note( 'scan_1', $KEY );
    is( $scans->hand_out($OTHER_KEY), undef,    'another card was not' );
    is( $scans->hand_out($KEY),       'scan_1', 'the event' );
    is( $scans->hand_out($KEY),       undef,    'once: a second request wants a new one' );
    $scans->note( 'scan_1', $KEY );
    is( $scans->hand_out($KEY), undef, 'also when a later scan was coalesced with it' );

    $scans->note( 'scan_2', $KEY );
    local $NOW = $NOW + 9;
    is( $scans->hand_out($KEY), 'scan_2', 'after nine seconds' );
    $scans->note( 'scan_3', $KEY );
    local $NOW = $NOW + 10;
    is( $scans->hand_out($KEY), undef, 'not after ten' );
};

subtest 'an event is handed out whether the service reported it before it was noted, after, or not yet' =>
    sub {
    foreach my $reported (qw( before after never )) {
        my $scans = scans_of( Passport::TestKoha->new );
        my $state = state_of( state => 'done', outcome => 'NOT_FOUND' );
        $scans->keep($state) if $reported eq 'before';
        $scans->note( 'scan_1', $KEY );
        $scans->keep($state) if $reported eq 'after';
        is( $scans->hand_out($KEY), 'scan_1', "reported $reported" );
        is( $scans->fetch('scan_1')->{outcome},
            $reported eq 'never' ? undef : 'NOT_FOUND',
            'and what was reported stays'
        );
    }
    };

subtest 'the ten seconds count from the scan, not from what the service reports' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    $scans->note( 'scan_1', $KEY );
    local $NOW = $NOW + 10;
    $scans->keep( state_of( state => 'failed' ) );
    is( $scans->hand_out($KEY), undef, 'over' );
};

subtest 'an event that a page sent itself is handed to nobody' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    $scans->note('scan_1');
    $scans->note( 'scan_1', $KEY );
    is( $scans->hand_out($KEY), undef, 'though a later scan was coalesced with it' );
};

subtest 'the keyed hash of a card goes when it is of no use any more' => sub {
    my $koha  = Passport::TestKoha->new;
    my $scans = scans_of($koha);
    my $kept  = sub {
        return $koha->{dbh}->selectcol_arrayref(
            q{SELECT event_id FROM koha_plugin_org_patronpassport_scans WHERE scan_key > ''});
    };
    $scans->note( "scan_$_", "$_" x 64 ) foreach 1 .. 2;
    $scans->hand_out( '1' x 64 );
    is_deeply( $kept->(), ['scan_2'], 'handed out' );
    local $NOW = $NOW + 10;
    $scans->note( 'scan_3', $KEY );
    is_deeply( $kept->(), ['scan_3'], 'or too old' );
};

subtest 'the receiver is queried rarely, and by one page at a time' => sub {
    my $scans = scans_of( Passport::TestKoha->new );
    $scans->note('scan_1');
    ok( !$scans->may_query('scan_1'), 'not right after the event was sent: the service reports by itself' );
    local $NOW = $NOW + 2;
    ok( $scans->may_query('scan_1'),  'two seconds later' );
    ok( !$scans->may_query('scan_1'), 'one page only' );
    local $NOW = $NOW + 5;
    ok( $scans->may_query('scan_1'), 'again after five seconds' );
    $scans->keep( state_of( state => 'done' ) );
    local $NOW = $NOW + 60;
    ok( !$scans->may_query('scan_1'), 'never once the outcome is known' );
    ok( !$scans->may_query('scan_2'), 'never for an event that is not ours' );
};

subtest 'two requests that store a state of an event at once both succeed' => sub {
    no warnings 'redefine';
    foreach my $between (qw( _update _stored_seq )) {
        my $scans = scans_of( Passport::TestKoha->new );
        my $raced = 0;
        my $real  = $scans->can($between);
        no strict 'refs';
        local *{"Koha::Plugin::Org::PatronPassport::Scans::$between"} = sub {
            my $answer = $real->(@_);
            $scans->keep( state_of( seq => 1, message => 'the other' ) ) if !$raced++;
            return $answer;
        };
        $scans->keep( state_of( seq => 2, message => 'ours' ) );
        is( $scans->fetch('scan_1')->{message},
            'ours', "the higher seq is there, with the other after $between" );
    }
};

done_testing;

# A card that is tried on the status page: what is sent for it, what is shown of it, and who may.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use CGI;
use Mojo::JSON ();
use Test::More;

use C4::Log;
use Koha::Patron;
use Passport::TestKoha;
use Passport::TestReceiver;

my $CARD = '21234000000017';
my %MAY  = ( 'plugins:tool' => 1, circulate => 1, borrowers => 1 );

# A service that takes what is sent, and says of each event what a test wants.
sub koha_where {
    my (%state) = @_;

    my $joined   = delete $state{joined};
    my $receiver = Passport::TestReceiver->start(
        sub {
            my ($request) = @_;
            my $id = $request->{headers}{'webhook-id'};
            return Passport::TestReceiver::_reply( 404, { code => 'not_found' } )
                if $request->{path} =~ m{/service/}xms;
            return Passport::TestReceiver::_reply( 202, { event_id => $joined // $id, status => 'accepted' } )
                if $request->{method} eq 'POST';
            return Passport::TestReceiver::_reply( 200,
                { event_id => $id, state => 'done', reasons => [], homes => [], libraries => [], %state } );
        }
    );
    my $koha = Passport::TestKoha->new->configure( receiver_url => $receiver->url );
    %Koha::Patron::PERMISSIONS = ( 51 => {%MAY} );

    return ( $koha, $receiver );
}

sub page_of {
    my ( $koha, %sent ) = @_;

    return $koha->plugin_page( 'tool', \%sent );
}

sub try_card {
    my ( $koha, %sent ) = @_;

    return page_of( $koha, op => 'cud-card', card => $CARD, %sent );
}

# What was sent of scans: the page asks for the status, too.
sub scans_at {
    my ($receiver) = @_;

    return grep { $_->{type} eq 'patron.not_found' }
        map { Mojo::JSON::decode_json( $_->{body} ) }
        grep { $_->{method} eq 'POST' } $receiver->requests;
}

sub log_of {
    my ($koha) = @_;

    return $koha->{dbh}->selectall_arrayref('SELECT user, module, action, info FROM action_logs');
}

my %HOME = ( homes => [ { id => 'midland', name => 'Midland Public Library' } ] );

subtest 'a card is reported as a test, and what would become of it is shown' => sub {
    my ( $koha, $receiver ) = koha_where( outcome => 'OBSERVED', observed => { category => 'PT' }, %HOME );
    my $page = try_card( $koha, card => " $CARD " );
    my ($scan) = scans_at($receiver);
    is_deeply( $scan->{data}, { cardnumber => $CARD, branch => 'MAIN', interface => 'test', operator => 51 },
        'as a test' );
    my $answer = $page->at('#passport_card_answer');
    is( $answer->{'data-outcome'}, 'OBSERVED', 'the outcome' );
    like( $answer->all_text, qr{Found [ ] at [ ] Midland [ ] Public [ ] Library}xms, 'where' );
    unlike( $page->to_string, qr{\Q$CARD}xms, 'the page does not have the card' );
};

subtest 'who may not borrow is shown with the reasons that the desk would see' => sub {
    my ( $koha, $receiver ) = koha_where(
        outcome => 'NOT_ELIGIBLE',
        reasons => ['EXPIRED'],
        %HOME, patron => { surname => 'Planted' }
    );
    my $text = try_card($koha)->at('#passport_card_answer')->all_text;
    like( $text, qr{not [ ] allowed [ ] to [ ] borrow [ ] here .* the [ ] card [ ] has [ ] expired}xms,
        'the reasons' );
    unlike( $text, qr/Planted|[{]/xms, 'nothing else' );
};

subtest 'each try is a line of the action log by whoever tried it, without the card' => sub {
    my ( $koha, $receiver ) = koha_where( outcome => 'NOT_FOUND' );
    try_card($koha);
    my $lines = log_of($koha);
    is_deeply(
        [ map { [ @{$_}[ 0 .. 2 ] ] } @{$lines} ],
        [ [ 51, 'PATRONPASSPORT', 'TEST_CARD' ] ],
        'who and what'
    );
    my ($sent) = grep { $_->{path} !~ m{service}xms } $receiver->requests;
    like(
        $lines->[0][3],
        qr{event [ ] \Q$sent->{headers}{'webhook-id'}\E \z}xms,
        'which event, as in the service\'s audit'
    );
    unlike( $lines->[0][3], qr{\Q$CARD}xms, 'not the card' );
};

subtest 'nobody goes through numbers: twenty an hour, each user for themselves' => sub {
    my ( $koha, $receiver ) = koha_where( outcome => 'NOT_FOUND' );
    $koha->{dbh}->do( 'INSERT INTO action_logs (user, module, action, timestamp) VALUES (?, ?, ?, NOW())',
        undef, $_->[0], 'PATRONPASSPORT', $_->[1] )
        foreach ( [ 51, 'TEST_CARD' ] ) x 19, ( [ 52, 'TEST_CARD' ] ) x 20, [ 51, 'SETUP' ];
    ok( try_card($koha)->at('#passport_card_answer[data-outcome=NOT_FOUND]'), 'the twentieth' );
    like( try_card($koha)->at('#passport_card_answer')->all_text, qr{20 [ ] cards}xms, 'and no more' );
    is( scans_at($receiver), 1, 'nothing was sent' );
    $koha->{dbh}->do(q{UPDATE action_logs SET timestamp = '2026-01-01 00:00:00'});
    ok( try_card($koha)->at('#passport_card_answer[data-outcome=NOT_FOUND]'), 'until the hour is over' );
};

subtest 'tries at the same moment do not pass the limit together' => sub {
    my ( $koha, $receiver ) = koha_where( outcome => 'NOT_FOUND' );
    my $add = sub {
        my ($count) = @_;
        $koha->{dbh}->do(
            q{INSERT INTO action_logs (user, module, action, timestamp) VALUES (51, 'PATRONPASSPORT', 'TEST_CARD', NOW())}
        ) foreach 1 .. $count;
    };
    $add->(19);
    local $C4::Log::BEFORE = sub { $add->(1) };
    like(
        try_card($koha)->at('#passport_card_answer')->all_text,
        qr{20 [ ] cards}xms,
        'the other was the twentieth'
    );
    is( scans_at($receiver), 0,  'this one was not sent' );
    is( @{ log_of($koha) },  21, 'and both are written down' );
};

subtest 'what stays here: names, items, cards of patrons here' => sub {
    my ( $koha, $receiver ) = koha_where( outcome => 'NOT_FOUND' );
    $koha->add_patron( '21234000000025', 'native' );
    $koha->{dbh}->do(q{INSERT INTO items (barcode) VALUES ('21234000000033')});
    like( try_card( $koha, card => $_->[0] )->at('#passport_card_answer')->all_text,
        $_->[1], "typed: $_->[0]" )
        foreach [ 'Mary Burton', qr{no [ ] card [ ] pattern}xms ], [ q{}, qr{no [ ] card [ ] pattern}xms ],
        [ '21234000000033', qr{item}xms ], [ '21234000000025', qr{A [ ] patron [ ] here}xms ];
    is( scans_at($receiver), 0, 'nothing was sent' );
    is( @{ log_of($koha) },  0, 'and nothing is written down' );
};

subtest 'who could not check the patron out at the desk may not try a card, nor follow one' => sub {
    foreach my $lacking (qw( circulate borrowers )) {
        my ( $koha, $receiver ) = koha_where( outcome => 'NOT_FOUND' );
        delete $Koha::Patron::PERMISSIONS{51}{$lacking};
        ok( !page_of($koha)->at('#passport_try_card'), "without $lacking: no form" );
        foreach my $op (qw( cud-card cud-look )) {
            my $page = try_card( $koha, op => $op, event => 'scan_1' );
            like( $page->at('#passport_card_answer')->all_text, qr{You [ ] may [ ] not}xms,
                "$op is refused" );
        }
        is( scans_at($receiver),                                    0, 'nothing was sent' );
        is( ( grep { $_->{method} eq 'GET' } $receiver->requests ), 0, 'nor asked' );
    }
};

subtest 'a card is tried by a form of this page only' => sub {
    my ( $koha, $receiver ) = koha_where( outcome => 'NOT_FOUND' );
    like( try_card( $koha, csrf_token => 'forged' )->at('#passport_card_answer')->all_text,
        qr{not [ ] sent [ ] from [ ] here}xms, 'forged' );
    local $ENV{REQUEST_METHOD} = 'GET';
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc';
    $koha->{plugin}{cgi} = CGI->new( { op => 'cud-card', card => $CARD, csrf_token => 'token-of-abc' } );
    $koha->{plugin}->tool;
    is( scans_at($receiver), 0, 'and by no address' );
};

subtest 'what takes longer can be looked at again, without another try' => sub {
    my ( $koha, $receiver ) = koha_where( state => 'waiting', outcome => undef );
    my $page = try_card($koha);
    like( $page->at('#passport_card_answer')->all_text, qr{no [ ] answer [ ] yet}xms, 'it says so' );
    my $event = $page->at('#passport_try_card input[name=event]')->{value};
    try_card( $koha, op => 'cud-look', event => $event );
    is( scans_at($receiver), 1, 'one event' );
    is( @{ log_of($koha) },  1, 'one line' );
    like(
        try_card( $koha, op => 'cud-look', event => '../x' )->at('#passport_card_answer')->all_text,
        qr{did [ ] not [ ] take}xms,
        'no address'
    );
};

subtest 'a try that joins another is followed, and the log says which event it is' => sub {
    my ( $koha, $receiver ) = koha_where( joined => 'scan_earlier', state => 'waiting', outcome => undef );
    my $event = try_card($koha)->at('#passport_try_card input[name=event]')->{value};
    is( $event, 'scan_earlier', 'the event that was joined' );
    my $lines = log_of($koha);
    is_deeply( [ map { $_->[2] } @{$lines} ], [qw( TEST_CARD TEST_CARD_JOINED )], 'the try counts once' );
    like( $lines->[1][3], qr{event [ ] scan_earlier \z}xms, 'the event of the audit' );
    like(
        try_card( $koha, op => 'cud-look', event => $event )->at('#passport_card_answer')->all_text,
        qr{no [ ] answer [ ] yet}xms,
        'and it can be looked at again'
    );
};

subtest 'nothing but a try of one\'s own can be looked at: no scan, no try of another' => sub {
    my ( $koha, $receiver ) = koha_where( outcome => 'NOT_FOUND' );
    $koha->{dbh}
        ->do( 'INSERT INTO action_logs (user, module, action, info, timestamp) VALUES (?, ?, ?, ?, NOW())',
        undef, @{$_} )
        foreach [ 52, 'PATRONPASSPORT', 'TEST_CARD', 'Tried a card at Patron Passport: event scan_theirs' ],
        [ 51, 'PATRONPASSPORT', 'SETUP', 'Tried a card at Patron Passport: event scan_none' ];
    foreach my $event (qw( scan_1 scan_theirs scan_none % )) {
        like( try_card( $koha, op => 'cud-look', event => $event )->at('#passport_card_answer')->all_text,
            qr{did [ ] not [ ] take}xms, $event );
    }
    is( ( grep { $_->{path} =~ m{scan_}xms } $receiver->requests ), 0, 'nobody is asked' );
};

done_testing;

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Digest::SHA  ();
use MIME::Base64 ();
use Mojo::JSON   qw( decode_json encode_json false true );
use Test::Mojo;
use Test::More;

use Passport::TestApi;
use Passport::TestDeletions qw( add_columns );
use Passport::TestKoha;
use Passport::TestReceiver;

my $BASE = '/api/v1/contrib/passport';
my $CARD = '21234000000017';
my @RECEIVERS;

# A Koha whose API serves the plugin's routes, and a receiver that answers as the test wants.
sub api {
    my ( $how, %configured ) = @_;

    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start($how);
    $koha->configure( receiver_url => $receiver->url, %configured );
    push @RECEIVERS, $receiver;

    return ( Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) ), $koha, $receiver );
}

sub state_of {
    my (%changed) = @_;

    return {
        event_id => 'scan_1',
        library  => 'riverside',
        seq      => 3,
        state    => 'done',
        outcome  => 'COPIED',
        reasons  => [],
        homes    => [ { id => 'midland', name => 'Midland Public Library' } ],
        checkout => undef,
        %changed,
    };
}

subtest 'no route is open to anyone: each requires a permission' => sub {
    my $routes = Passport::TestKoha->new->{plugin}->api_routes;
    my %required;
    foreach my $path ( keys %{$routes} ) {
        $required{"$_ $path"} = $routes->{$path}{$_}{'x-koha-authorization'}
            foreach keys %{ $routes->{$path} };
    }
    my $circulates = { permissions => { circulate => 'circulate_remaining_permissions' } };
    my $edits      = { permissions => { borrowers => 'edit_borrowers' } };
    is_deeply(
        \%required,
        {   'post /scans'                   => $circulates,
            'post /codes'                   => $circulates,
            'get /scans/{event_id}'         => $circulates,
            'post /scans/{event_id}/cancel' => $circulates,
            'post /scans/{event_id}/consent' => $circulates,
            'post /scans/{event_id}/decision' => $circulates,
            'put /scans/{event_id}/outcome' => $edits,
            'get /about'                    => $edits,
            'post /check'                   => $edits,
            'get /desk.js'                  => $circulates,
            'get /copies'                   => $edits,
            'put /copies'                   => $edits,
            'put /copies/{patron_id}'       => $edits,
            'get /copies/{patron_id}/standing' => $circulates,
            'get /deletions'                => $edits,
            'post /deletions'               => { permissions => { borrowers => 'delete_borrowers' } },
            'get /owed'                     => $edits,
            'get /loans'                    => $edits,
            'get /restrictions/{kind}'      => $edits,
            'get /patrons/{patron_id}/restrictions' => { permissions =>
                    [ { borrowers => 'list_borrowers' }, { borrowers => 'edit_borrowers' } ] },
            map { ( "$_ /restrictions/{kind}/{library}/{patron_id}" => $edits ) } qw( put delete ),
        },
        'those of the contract'
    );
    is( Passport::TestKoha->new->{plugin}->api_namespace, 'passport', 'under the namespace of the contract' );
};

my @SERVICES = (
    [ 'PUT',    'scans/scan_1/outcome', \&state_of ],
    [ 'GET',    'copies' ],
    [ 'PUT',    'copies/1', sub { return { version => 0, home_key => 'midland:8', fields => {} } } ],
    [ 'GET',    'deletions?patron_ids=1' ],
    [ 'POST',   'deletions', sub { return { patron_id => 1, home_key => 'midland:8', home_key_type => 'PASSPORTED_ID' } } ],
    [ 'GET',    'owed?home_key_type=PASSPORTED_ID' ],
    [ 'GET',    'loans?passport_type=PASSPORTED&from=2026-11-01&to=2026-11-02' ],
    [ 'GET',    'restrictions/home' ],
    [ 'GET',    'patrons/1/restrictions' ],
    [ 'PUT',    'restrictions/home/midland/1', sub { return { until => undef } } ],
    [ 'DELETE', 'restrictions/home/midland/1' ],
    [ 'PUT',    'copies', sub { return { checked => [1] } } ],
);
my @DOCTORS = ( [ 'GET', 'about' ], [ 'POST', 'check', sub { return { nonce => 'n' x 22 } } ] );

sub request {
    my ( $t, $route, %headers ) = @_;

    my ( $method, $path, $body ) = @{$route};
    my $tx = $t->ua->build_tx( $method => "$BASE/$path", \%headers, $body ? ( json => $body->() ) : () );
    $t->tx( $t->ua->start($tx) );

    return join q{ }, $t->tx->res->code, ( $t->tx->res->json // {} )->{error_code} // ();
}

subtest 'who has edit_borrowers, but is not the user of the service, is served no route of the service' => sub {
    my ( $t, $koha ) = api('accepts');
    add_columns( $koha->{dbh} );
    local $Koha::Patron::PERMISSIONS{51} = { borrowers => 1, circulate => 1 };
    my %as = ( cookie => { Cookie => 'CGISESSID=user-51' }, key => { Authorization => 'Bearer user-51' } );
    foreach my $route (@SERVICES) {
        my $name = "$route->[0] $route->[1]";
        is( request( $t, $route, %{ $as{cookie} } ), '403 no_key',          "$name: not by the session of staff" );
        is( request( $t, $route, %{ $as{key} } ),    '403 not_the_service', "$name: nor by a key of their own" );
        is( request( $t, $route, Authorization => 'Basic user-51' ), '403 no_key', "$name: nor by a password" );
        unlike( request( $t, $route ), qr{\A 403}xms, "$name: the service's user is served" );
    }
    is_deeply( [ map { $_->{home_key} } @{ $koha->{plugin}->copies->page( {} ) } ], ['midland:8'], 'one row is kept' );

    $koha->configure( service_user => q{} );
    is( request( $t, $SERVICES[1] ), '403 not_the_service', 'nobody is, where the configuration names nobody' );
};

subtest 'what only doctor reads takes a key, and says whether it is that of the service' => sub {
    my ( $t, $koha ) = api('accepts');
    local $Koha::Patron::PERMISSIONS{51} = { borrowers => 1 };
    foreach my $route (@DOCTORS) {
        is( request( $t, $route, Cookie => 'CGISESSID=user-51' ), '403 no_key', "$route->[1]: not by a session" );
        is( request( $t, $route, Authorization => 'Bearer user-51' ), '200', "$route->[1]: by any key" );
    }
    is( $t->tx->res->json('/serves_you'), 'no', 'of somebody else' );
    request( $t, $DOCTORS[1] );
    is( $t->tx->res->json('/serves_you'), 'yes', 'of the service' );
    $koha->configure( service_user => q{} );
    request( $t, $DOCTORS[1] );
    is( $t->tx->res->json('/serves_you'), 'nobody', 'of nobody' );
};

subtest 'the desk has its routes by its session' => sub {
    my ($t) = api('accepts');
    local $Koha::Patron::PERMISSIONS{51} = { circulate => 1 };
    foreach my $route ( [ 'POST', 'scans', sub { return { cardnumber => $CARD } } ], [ 'GET', 'desk.js' ] ) {
        like( request( $t, $route, Cookie => 'CGISESSID=user-51' ), qr{\A 20[02]}xms, $route->[1] );
    }
};

subtest 'a disabled plugin serves nothing, at once, and an enabled one does' => sub {
    my ( $t, $koha, $receiver ) = api('accepts');
    my @all = ( @SERVICES, @DOCTORS, [ 'GET', 'desk.js' ], [ 'GET', 'scans/scan_1' ],
        [ 'GET', 'copies/1/standing' ],
        [ 'POST', 'scans', sub { return { cardnumber => $CARD } } ],
        [ 'POST', 'scans/scan_1/cancel', sub { return {} } ],
        [ 'POST', 'scans/scan_1/consent',  sub { return { answer => 'yes', text_id => 'v1' } } ],
        [ 'POST', 'scans/scan_1/decision', sub { return { question => 'HOME_CHOICE', option => 'midland' } } ] );
    is( scalar @all, 21, 'all routes' );
    $koha->{plugin}->disable;
    is( request( $t, $_ ), '404 plugin_disabled', "$_->[0] $_->[1]" ) foreach @all;
    is( $receiver->requests, 0, 'nothing was sent' );
    $koha->{plugin}->enable;
    is( request( $t, $SERVICES[1] ), '200', 'enabled' );
};

subtest 'POST /scans sends the event and hands on the answer' => sub {
    my ( $t, undef, $receiver ) = api('accepts');
    $t->post_ok( "$BASE/scans" => json => { cardnumber => " $CARD " } )->status_is(202);

    my ($request) = $receiver->requests;
    is_deeply( $t->tx->res->json, { event_id => $request->{headers}{'webhook-id'}, status => 'accepted' },
        'the id' );
    is_deeply(
        decode_json( $request->{body} )->{data},
        {   cardnumber => $CARD,
            branch     => 'MAIN',
            interface  => 'staff',
            operator   => 51,
            decides    => ['HOME_CHOICE'],
        },
        'as the branch and the person of the session'
    );
    my $id = $t->tx->res->json('/event_id');
    $t->get_ok("$BASE/scans/$id")->status_is(200)->json_is( '/state' => 'queued' )->json_is( '/seq' => 0 );
};

subtest 'POST /scans with an item has the service check it out, by the barcode that Koha would use' => sub {
    my ( $t, undef, $receiver ) = api('accepts');
    $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD, item_barcode => ' item:39999000012345 ' } )
        ->status_is(202);
    my ($request) = $receiver->requests;
    is( decode_json( $request->{body} )->{data}{item_barcode}, '39999000012345', 'cleaned' );
    $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD, item_barcode => undef } )->status_is(202);
};

subtest 'POST /scans of a card that was just scanned follows the first event' => sub {
    my ($t) = api('coalesces');
    $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD } )
        ->status_is(202)
        ->json_is( { event_id => 'scan_first', status => 'accepted', joined => true } );
    $t->get_ok("$BASE/scans/scan_first")->status_is(200);
};

subtest 'POST /scans of a card that the hook has just reported hands on that event, whatever became of it' =>
    sub {
    my ( $t, $koha, $receiver ) = api( 'accepts', staff_wait => 0 );
    my $scan   = sub { return $koha->page( 'circ/circulation.pl', "findborrower=$CARD" ) };
    my $report = sub {
        return $t->post_ok( "$BASE/scans" => json => { cardnumber => " $CARD ", @_ } )->status_is(202);
    };

    $scan->();
    my ($sent) = map { $_->{headers}{'webhook-id'} } $receiver->requests;
    $t->put_ok( "$BASE/scans/$sent/outcome" => json => state_of( event_id => $sent, outcome => 'NOT_FOUND' ) )
        ->status_is(204);
    $report->()->json_is( { event_id => $sent, status => 'accepted', joined => true } );
    is( $receiver->requests, 1, 'nothing is sent' );
    $t->get_ok("$BASE/scans/$sent")->status_is(200)->json_is( '/outcome' => 'NOT_FOUND' );

    my $again = $report->()->tx->res->json('/event_id');
    isnt( $again, $sent, 'who tries again gets a new event' );
    is( $receiver->requests, 2, 'which is sent' );

    $scan->();
    $report->( item_barcode => '39999000012345' )->json_hasnt('/joined');
    is( $receiver->requests, 4, 'an item is sent in any case' );
    $report->()->json_is( '/joined' => true );

    my $stored = join q{ }, map { $_ // q{} }
        map { @{$_} }
        @{ $koha->{dbh}->selectall_arrayref('SELECT * FROM koha_plugin_org_patronpassport_scans') };
    unlike( $stored, qr{$CARD}xms, 'the card is not in the table' );
    };

subtest 'POST /scans hands on what was scanned under the same secret only' => sub {
    my ( $t, $koha, $receiver ) = api( 'accepts', staff_wait => 0 );
    $koha->page( 'circ/circulation.pl', "findborrower=$CARD" );
    my ($key)
        = $koha->{dbh}->selectrow_array('SELECT scan_key FROM koha_plugin_org_patronpassport_scans');
    is( $key,
        Digest::SHA::hmac_sha256_hex(
            $CARD, MIME::Base64::decode_base64( $Passport::TestKoha::SECRET =~ s{\A whsec_}{}xmsr )
        ),
        'what is kept of the card is a keyed hash'
    );
    $koha->configure( receiver_url => $receiver->url, secret => 'whsec_' . 'QUJD' x 8 );
    $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD } )->status_is(202)->json_hasnt('/joined');
};

subtest 'POST /scans hands on what was scanned at the same desk only' => sub {
    my ( $t, $koha, $receiver ) = api( 'accepts', staff_wait => 0 );
    local @Koha::Patron::PERMISSIONS{ 51, 52 } = ( { circulate => 1 } ) x 2;
    my $report = sub {
        my ($session) = @_;
        my %sent = ( Cookie => "CGISESSID=user-$session; KohaOpacLanguage=en" );
        return $t->post_ok( "$BASE/scans" => \%sent => json => { cardnumber => $CARD } )->status_is(202);
    };
    {
        local $ENV{HTTP_COOKIE} = 'KohaOpacLanguage=en; CGISESSID=user-51';
        $koha->page( 'circ/circulation.pl', "findborrower=$CARD" );
    }
    $report->(52)->json_hasnt('/joined');
    $report->(51)->json_is( '/joined' => true );
    $report->(51)->json_hasnt('/joined');

    my @bodies = map { $_->{body} } $receiver->requests;
    my @desks  = map { decode_json($_)->{data}{desk} } @bodies;
    like( $desks[0], qr{\A [0-9a-f]{32} \z}xms, 'the desk has a name' );
    is( $desks[2], $desks[0], 'one name' );
    isnt( $desks[1], $desks[0], 'of its own' );
    unlike( "@bodies", qr{user-5}xms, 'which is not its session' );
};

subtest 'T-16 POST /scans says what to expect when the event was not taken' => sub {
    my %expected = (
        hangs      => [ 503, 'receiver_unreachable' ],
        hangs_up   => [ 503, 'receiver_unreachable' ],
        garbage    => [ 503, 'receiver_unreachable' ],
        truncated  => [ 503, 'receiver_unreachable' ],
        html       => [ 502, 'receiver_refused' ],
    );
    local $SIG{__WARN__} = sub { unlike( $_[0], qr{$CARD}xms, 'no card in the log' ) };
    foreach my $how ( sort keys %expected ) {
        my ($t) = api($how);
        $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD } )
            ->status_is( $expected{$how}[0], $how )
            ->json_is( '/error_code' => $expected{$how}[1] );
    }
    # it may have been taken, and who cancels has to name it
    my ( $unsure, undef, $receiver ) = api('truncated');
    $unsure->post_ok( "$BASE/scans" => json => { cardnumber => $CARD } )->status_is(503);
    my ($request) = $receiver->requests;
    is( $unsure->tx->res->json('/event_id'), $request->{headers}{'webhook-id'}, 'the id that was sent' );
};

subtest 'POST /scans names an event that was accepted though it cannot be noted here' => sub {
    my ( $t, $koha, $receiver ) = api('accepts');
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    no warnings 'redefine';
    local *Koha::Plugin::Org::PatronPassport::Scans::note = sub { die "Deadlock with $CARD at x line 1\n" };
    $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD } )->status_is(202);
    my ($request) = $receiver->requests;
    is( $t->tx->res->json('/event_id'), $request->{headers}{'webhook-id'}, 'by its id' );
    like( "@warnings", qr{POST[ ]/scans[ ]failed}xms, 'the log has where it failed' );
    unlike( "@warnings", qr{$CARD}xms, 'and no card' );
};

subtest 'POST /scans needs a library' => sub {
    my ($t) = api('accepts');
    local $C4::Context::USERENV = { number => 51 };
    $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD } )
        ->status_is(400)
        ->json_is( '/error_code' => 'no_library' );
};

subtest 'POST cancel has the receiver cancel the event, keeps its state and hands on what it came to' => sub {
    my ( $t, undef, $receiver ) = api('cancels');
    my $cancel = sub { return $t->post_ok( "$BASE/scans/scan_1/cancel" => json => {} ) };
    $cancel->()
        ->status_is(200)
        ->json_is( '/event_id'      => 'scan_1' )
        ->json_is( '/result'        => 'CHECKOUT_STOPPED' )
        ->json_is( '/state/outcome' => 'CANCELLED' )
        ->json_hasnt('/state/more');

    my ($request) = $receiver->requests;
    is( "$request->{method} $request->{path}", 'POST /webhooks/riverside/scan_1/cancel', 'its route' );
    is( $request->{headers}{'webhook-id'}, 'scan_1',         'under the id of the event' );
    is( decode_json( $request->{body} )->{type}, 'scan.cancelled', 'as what it is' );
    $t->get_ok("$BASE/scans/scan_1")->json_is( '/state' => 'done' )->json_is( '/outcome' => 'CANCELLED' );

    $cancel->()->status_is(200);
    is( $receiver->requests, 2, 'again where it is wanted again' );
};

subtest 'POST consent hands the answer of the patron on, with who has it from them' => sub {
    my ( $t, undef, $receiver ) = api('consents');
    my $said = { answer => 'yes', text_id => '2026-11' };
    $t->post_ok( "$BASE/scans/scan_1/consent" => json => $said )->status_is(204);

    my ($request) = $receiver->requests;
    is( "$request->{method} $request->{path}", 'POST /webhooks/riverside/scan_1/consent', 'its route' );
    is( $request->{headers}{'webhook-id'}, 'scan_1', 'under the id of the event' );
    my $sent = decode_json( $request->{body} );
    is( $sent->{type}, 'consent.answered', 'as what it is' );
    is_deeply( $sent->{data}, { %{$said}, operator => C4::Context->userenv->{number} }, 'with the number of staff' );
    like( $request->{body}, qr{"operator":[0-9]}xms, 'as a number' );
};

subtest 'POST decision hands a choice on, with who has chosen, and where' => sub {
    my ( $t, undef, $receiver ) = api('decides');
    my $said = { question => 'HOME_CHOICE', option => 'midland' };
    $t->post_ok( "$BASE/scans/scan_1/decision" => json => $said )->status_is(204);

    my ($request) = $receiver->requests;
    is( "$request->{method} $request->{path}", 'POST /webhooks/riverside/scan_1/decision', 'its route' );
    is( $request->{headers}{'webhook-id'}, 'scan_1', 'under the id of the event' );
    my $sent = decode_json( $request->{body} );
    is( $sent->{type}, 'scan.decided', 'as what it is' );
    is_deeply( $sent->{data}, { %{$said}, branch => 'MAIN', operator => C4::Context->userenv->{number} }, 'all of it' );
    like( $request->{body}, qr{"operator":[0-9]}xms, 'a number as a number' );
};

subtest 'an override takes the permission to force a checkout' => sub {
    my ( $t, undef, $receiver ) = api('decides');
    my $override = [ 'POST', 'scans/scan_1/decision', sub { return { question => 'OVERRIDE', option => 'DOCUMENT_SEEN' } } ];
    my $choice = [ 'POST', 'scans/scan_1/decision', sub { return { question => 'HOME_CHOICE', option => 'midland' } } ];
    my $scan   = [ 'POST', 'scans', sub { return { cardnumber => $CARD } } ];
    my $decides = sub { return decode_json( ( $receiver->requests )[-1]{body} )->{data}{decides} };
    my %as      = ( Cookie => 'CGISESSID=user-51' );
    {
        local $Koha::Patron::PERMISSIONS{51} = { 'circulate:circulate_remaining_permissions' => 1 };
        is( request( $t, $override, %as ), '403 not_allowed', 'not without it' );
        is( $receiver->requests, 0, 'nothing was sent' );
        is( request( $t, $choice, %as ), '204', 'a choice takes none' );
        request( $t, $scan, %as );
        is_deeply( $decides->(), ['HOME_CHOICE'], 'and such a scan does not wait for an override' );
    }
    local $Koha::Patron::PERMISSIONS{51}
        = { map { ( "circulate:$_" => 1 ) } qw( circulate_remaining_permissions force_checkout ) };
    is( request( $t, $override, %as ), '204', 'with it' );
    request( $t, $scan, %as );
    is_deeply( $decides->(), [qw( HOME_CHOICE OVERRIDE )], 'and such a scan waits' );
};

subtest 'POST cancel takes no page for an answer' => sub {
    my ($t) = api('html');
    $t->post_ok( "$BASE/scans/scan_1/cancel" => json => {} )
        ->status_is(503)
        ->json_is( '/error_code' => 'receiver_unreachable' );
};

subtest 'a form on another site, which can send JSON as plain text only, reports no card' => sub {
    my ( $t, undef, $receiver ) = api('accepts');
    my $json = encode_json( { cardnumber => $CARD } );
    foreach my $headers ( { 'Content-Type' => 'multipart/form-data; boundary=x' }, {} ) {
        $t->post_ok( "$BASE/scans" => $headers => $json )->status_is(415)->json_is( '/error_code' => 'not_json' );
    }
    is( $receiver->requests, 0, 'nothing was sent' );
};

subtest 'GET queries the receiver when the service should have reported by now and did not' => sub {
    my $how = sub {
        my ($request) = @_;
        my ($id)      = $request->{path} =~ m{([^/]+) \z}xms;
        my $json      = Mojo::JSON::encode_json( state_of( event_id => $id, seq => 7, state => 'waiting' ) );
        return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " . length($json) . "\r\n\r\n$json";
    };
    my ( $t, $koha, $receiver ) = api($how);
    $koha->{plugin}->scans->note('scan_1');
    $t->get_ok("$BASE/scans/scan_1")->json_is( '/seq' => 0 );
    is( $receiver->requests, 0, 'not at once' );

    $koha->{dbh}->do('UPDATE koha_plugin_org_patronpassport_scans SET ask_at = 0');
    $t->get_ok("$BASE/scans/scan_1")->json_is( '/seq' => 7 )->json_is( '/state' => 'waiting' );
    my ($request) = $receiver->requests;
    is( "$request->{method} $request->{path}", 'GET /webhooks/riverside/scan_1', 'the receiver was queried' );
    is( $request->{headers}{'webhook-id'},     'scan_1', 'under the id of the event' );

    $t->get_ok("$BASE/scans/scan_1")->json_is( '/seq' => 7 );
    is( $receiver->requests, 1, 'and not again right away' );
};

subtest 'GET shows that no worker is there, and that one is back, though the event is where it was' => sub {
    my @said = map { ( $_, $_ ) } ( { reason => 'NO_WORKER' }, undef );
    my $how  = sub {
        my ($request) = @_;
        my ($id)      = $request->{path} =~ m{([^/]+) \z}xms;
        my $state     = state_of( event_id => $id, seq => 1, state => 'queued', waiting_for => shift @said );
        my $json      = Mojo::JSON::encode_json($state);
        return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " . length($json) . "\r\n\r\n$json";
    };
    my ( $t, $koha ) = api($how);
    $koha->{plugin}->scans->note('scan_1');
    foreach my $reason ( 'NO_WORKER', 'NO_WORKER', undef, undef ) {
        $koha->{dbh}->do('UPDATE koha_plugin_org_patronpassport_scans SET ask_at = 0');
        $t->get_ok("$BASE/scans/scan_1")->json_is( '/waiting_for/reason' => $reason );
    }
};

subtest 'GET shows what it has when the receiver is of no help' => sub {
    foreach my $how (qw( hangs status_401 garbage accepts )) {
        my ( $t, $koha ) = api($how);
        $koha->{plugin}->scans->note('scan_1');
        $koha->{dbh}->do('UPDATE koha_plugin_org_patronpassport_scans SET ask_at = 0');
        $t->get_ok("$BASE/scans/scan_1")->status_is( 200, $how )->json_is( '/state' => 'queued' );
    }
};

subtest 'GET /about reports to doctor what Koha\'s API does not' => sub {
    my ($t) = api('accepts');
    local $C4::Context::PREFERENCE{AutoEmailNewUser} = 1;
    local $C4::Context::PREFERENCE{SMTPPassword}     = 'hush';
    $t->get_ok("$BASE/about")
        ->status_is(200)
        ->json_is( '/version'                      => '1.0.0' )
        ->json_is( '/koha_version'                 => '24.11.05.000' )
        ->json_is( '/plack_workers'                => 2 )
        ->json_is( '/preferences/AutoEmailNewUser' => '1' )
        ->json_is( '/preferences/IndependentBranches' => undef )
        ->json_hasnt('/preferences/SMTPPassword')
        ->json_like( '/time' => qr{\A \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}[+-]\d\d:\d\d \z}xms )
        ->json_is( '/attribute_types' => [ { code => 'PASSPORTED' }, { code => 'PASSPORTED_ID' } ] );
};

subtest 'POST /check reports the settings, and proves the secret without showing it' => sub {
    my $nonce = 'n0nce-n0nce-n0nce-n0nce_';
    my ( $t, $koha, $receiver ) = api( 'accepts', sip => q{} );
    $t->post_ok( "$BASE/check" => json => { nonce => $nonce } )->status_is(200);
    my $said = $t->tx->res->json;
    my ( $settings, $way, @more ) = @{ delete $said->{findings} };
    is_deeply( $settings, { finding => 'settings_ok', level => 'ok', name => undef, figure => undef }, 'it is set up' );
    is( $way->{finding}, 'receiver_other', 'this receiver gives no status' );
    is( ( grep { $_->{finding} eq 'desk_ok' } @more ), 1, 'and more is found' );
    is_deeply(
        $said,
        {   library      => 'riverside',
            receiver_url => $receiver->url,
            secret_from  => 'page',
            proof        => MIME::Base64::encode_base64(
                Digest::SHA::hmac_sha256(
                    "passport-proof:$nonce",
                    MIME::Base64::decode_base64( $Passport::TestKoha::SECRET =~ s{\A whsec_}{}xmsr )
                ),
                q{}
            ),
            serves        => { staff => true, self_check => true, sip => false, copies => true },
            serves_you    => 'yes',
            card_patterns => ['^21234\d{9}$'],
        },
        'the facts'
    );
    my ($request) = $receiver->requests;
    is( decode_json( $request->{body} )->{type}, 'library.status_requested', 'the status was requested, nothing is queued' );
    unlike( $t->tx->res->body, qr{whsec_}xms, 'no secret' );

    $koha->configure( secret => q{} );
    $t->post_ok( "$BASE/check" => json => { nonce => $nonce } )
        ->status_is(200)
        ->json_is( '/proof'       => undef )
        ->json_is( '/secret_from'        => 'nowhere' )
        ->json_is( '/findings/0/finding' => 'settings_missing' );
    is( scalar @{ [ $receiver->requests ] }, 1, 'nothing is sent without a secret' );
};

subtest 'POST /check reports that the receiver cannot be reached' => sub {
    my $nonce = 'n' x 22;
    my ( $t, $koha ) = api('accepts');
    $koha->configure( receiver_url => 'http://127.0.0.1:1' );
    $t->post_ok( "$BASE/check" => json => { nonce => $nonce } )
        ->status_is(200)
        ->json_is( '/findings/1/finding' => 'receiver_unreachable' )
        ->json_is( '/findings/1/level'   => 'fault' )
        ->json_is( '/findings/1/name'    => 'refused' );
};

subtest 'POST /check reports that the receiver refuses, and why' => sub {
    my %finds = (
        clock    => [ clock_refused  => 'identity_unchecked' ],
        library  => [ identity_other => 'clock_unchecked' ],
        nonsense => [ identity_wrong => 'clock_unchecked' ],
    );
    foreach my $reason ( sort keys %finds ) {
        my $body = encode_json( { code => 'unauthorized', reason => $reason } );
        my ( $t, undef, $receiver ) = api(
            sub {
                return join "\r\n", 'HTTP/1.1 401 Unauthorized', 'Content-Type: application/json',
                    'Connection: close', 'Content-Length: ' . length $body, q{}, $body;
            }
        );
        $t->post_ok( "$BASE/check" => json => { nonce => 'n' x 22 } )->status_is(200);
        my %found = map { $_->{finding} => $_->{level} } @{ $t->tx->res->json('/findings') };
        is( $found{ $finds{$reason}[0] }, 'fault',     "$reason: what is wrong" );
        is( $found{ $finds{$reason}[1] }, 'unchecked', "$reason: what cannot be known" );
        is_deeply( [ map {"$_->{method} $_->{path}"} $receiver->requests ],
            ['POST /webhooks/riverside/service/status'], "$reason: it was asked once" );
    }
};

subtest 'POST /check serves what the set-up check finds: a code, what it is about, and a figure' => sub {
    my ( $t, $koha ) = api('accepts');
    local $C4::Context::CONFIG{plack_workers} = 1;
    $koha->{dbh}->do('DROP TABLE koha_plugin_org_patronpassport_copies');
    $koha->{plugin}->store_data( { __UNKNOWN_BRANCH__ => int(time) . ' kohalib' } );
    $t->post_ok( "$BASE/check" => json => { nonce => 'n' x 22 } )->status_is(200);
    my %found = map { $_->{finding} => $_ } @{ $t->tx->res->json('/findings') };
    is_deeply( $found{plack_few}, { finding => 'plack_few', level => 'warning', name => undef, figure => 1 }, 'a figure' );
    is_deeply( $found{sip_branch}, { finding => 'sip_branch', level => 'warning', name => 'kohalib', figure => undef }, 'a name' );
    is( $found{tables_missing}{level}, 'fault', 'a fault' );
    unlike( $t->tx->res->body, qr{whsec_}xms, 'no secret' );
};

subtest 'GET /desk.js is the script, with its content type' => sub {
    my ($t) = api('accepts');
    $t->get_ok("$BASE/desk.js?v=1.0.0")
        ->status_is(200)
        ->content_type_is('text/javascript; charset=utf-8')
        ->header_is( 'Cache-Control' => 'private, max-age=86400' )
        ->content_like(qr{passport-desk}xms);
};

subtest 'T-16 a fault of our own is 500, and neither the answer nor the log has the card' => sub {
    my ( $t, $koha ) = api('accepts');
    $koha->{dbh}->do('DROP TABLE plugin_data');
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    $t->post_ok( "$BASE/scans" => json => { cardnumber => $CARD } )
        ->status_is(500)
        ->content_unlike(qr{$CARD}xms);
    $t->get_ok("$BASE/scans/scan_1")->status_is(500);
    $t->put_ok( "$BASE/scans/scan_1/outcome" => json => state_of() )->status_is(500);
    is( scalar @warnings, 3, 'a line each' );
    unlike( "@warnings", qr{$CARD}xms, 'without the card' );
};

done_testing;

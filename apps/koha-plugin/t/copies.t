use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Koha::Patron::Debarments ();
use Mojo::DOM;
use Mojo::JSON               qw( encode_json from_json );
use Test::Mojo;
use Test::More;

use Passport::TestApi;
use Passport::TestKoha;

my $BASE  = '/api/v1/contrib/passport/copies';
my $TABLE = 'koha_plugin_org_patronpassport_copies';
my $HASH  = 'Ab3_-9:' . 'h' x 43;

sub api {
    my $koha = Passport::TestKoha->new;

    return ( Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) ), $koha );
}

sub row {
    my (%changed) = @_;

    return {
        version  => 0,
        home_key => 'midland:8',
        fields   => { email => { hash => $HASH, at => 1_700_000_000, event => 'scan_1' } },
        %changed,
    };
}

subtest 'a row that is stored is read again, with its version' => sub {
    my ($t) = api();
    $t->put_ok( "$BASE/812" => json => row() )->status_is(200)->json_is( { version => 1 } );
    $t->get_ok($BASE)
        ->status_is(200)
        ->json_is( { copies => [ { %{ row( version => 1 ) }, patron_id => 812, restricted_at => [], standing => undef, standing_at => [] } ] } );
};

subtest 'of two writers that read the same version one starts again' => sub {
    my ($t) = api();
    $t->put_ok( "$BASE/812" => json => row() )->status_is(200);
    $t->put_ok( "$BASE/812" => json => row( home_key => 'midland:9' ) )
        ->status_is(409)
        ->json_is( '/error_code' => 'other_version' );
    $t->put_ok( "$BASE/812" => json => row( version => 1, home_key => 'midland:10' ) )
        ->status_is(200)
        ->json_is( { version => 2 } );
    $t->put_ok( "$BASE/812" => json => row( version => 1 ) )->status_is(409);
    $t->put_ok( "$BASE/813" => json => row( version => 4 ) )->status_is( 409, 'a row that is gone' );
    $t->get_ok($BASE)->json_is( '/copies/0/home_key' => 'midland:10' )->json_hasnt('/copies/1');
};

subtest 'pages go by the patron number, between two numbers' => sub {
    my ($t) = api();
    $t->put_ok( "$BASE/$_" => json => row() )->status_is(200) foreach 30, 4, 100, 7;
    my $ids = sub {
        return [ map { $_->{patron_id} } @{ $t->get_ok("$BASE?$_[0]")->tx->res->json('/copies') } ];
    };
    is_deeply( $ids->(q{}),                [ 4, 7, 30, 100 ], 'all, by number' );
    is_deeply( $ids->('after=4&limit=2'),  [ 7, 30 ],         'a page' );
    is_deeply( $ids->('after=4&up_to=30'), [ 7, 30 ],         'up to a number' );
    is_deeply( $ids->('after=100'),        [],                'no more' );
    $t->get_ok("$BASE?limit=201")->status_is(400);
    $t->get_ok("$BASE?after=x")->status_is(400);
};

subtest 'what is no row of ours is refused, a value in the clear above all' => sub {
    my ($t) = api();
    my $field = sub { return row( fields => { email => { %{ row()->{fields}{email} }, @_ } } ) };
    foreach my $case (
        [ 'a value for a hash', $field->( hash  => 'adaeze@example.org' ) ],
        [ 'a value beside it',  $field->( value => 'adaeze@example.org' ) ],
        [ 'no event',           row( fields => { email => { hash => $HASH, at => 1 } } ) ],
        [ 'a strange event',    $field->( event => 'adaeze okafor' ) ],
        [ 'a further key',      row( surname  => 'Okafor' ) ],
        [ 'no home key',        row( home_key => q{} ) ],
        )
    {
        $t->put_ok( "$BASE/812" => json => $case->[1] )->status_is( 400, $case->[0] );
    }
    $t->put_ok( "$BASE/812" => { 'Content-Type' => 'text/plain' } => encode_json( row() ) )->status_is(415);
    $t->put_ok( "$BASE/0"   => json                               => row() )->status_is(400);
    $t->get_ok($BASE)->json_is( { copies => [] } );
};

subtest 'T-28 a row says for which home libraries the copy is restricted, and none of what staff did' => sub {
    my ( $t, $koha ) = api();
    $koha->add_patron( "2123400000001$_", "patron$_" ) foreach 1 .. 3;
    $t->put_ok( "$BASE/$_" => json => row() )->status_is(200) foreach 1 .. 3;
    my $restricted = sub {
        return [ map { $_->{restricted_at} } @{ $t->get_ok($BASE)->tx->res->json('/copies') } ];
    };
    is_deeply( $restricted->(), [ [], [], [] ], 'nobody is' );

    my $restriction = '/api/v1/contrib/passport/restrictions';
    Koha::Patron::Debarments::AddDebarment( { borrowernumber => $_, type => 'MANUAL', comment => 'a film' } )
        foreach 1, 2;
    $t->put_ok( "$restriction/home/midland/2"   => json => { until => undef } )->status_is(204);
    $t->put_ok( "$restriction/home/mid-land/2"  => json => { until => undef } )->status_is(204);
    $t->put_ok( "$restriction/owed/riverside/3" => json => { until => undef } )->status_is(204);
    is_deeply( $restricted->(), [ [], [ 'midland', 'mid-land' ], [] ], 'one is' );
    $t->get_ok("$BASE?after=1&up_to=2")->json_is( '/copies/0/restricted_at' => [ 'midland', 'mid-land' ] );

    $t->delete_ok("$restriction/home/$_/2")->status_is(204) foreach qw( midland mid-land );
    is_deeply( $restricted->(), [ [], [], [] ], 'it is lifted' );
    my ($left)
        = $koha->{dbh}->selectrow_array(q{SELECT COUNT(*) FROM borrower_debarments WHERE type = 'MANUAL'});
    is( $left, 2, 'what staff did is there' );
};

sub standing {
    my (%changed) = @_;

    return { is_good => \0, reasons => ['DEBT_OVER_LIMIT'], home_name => 'Midland Public Library', %changed };
}

# A Koha with one copy, number 1, of which the desk is shown this.
sub api_with_standing {
    my ( $t, $koha ) = api();
    $koha->add_patron( '21234000000017', 'okafor' );
    $koha->add_attribute( 1, 'PASSPORTED_ID', 'midland:8' );
    $t->put_ok( "$BASE/1" => json => row( standing => standing(@_) ) )->status_is(200);

    return ( $t, $koha );
}

subtest 'the standing of a copy is shown to the desk with its age, as codes' => sub {
    my ( $t, $koha ) = api_with_standing();
    my $age_of = sub { return $t->get_ok("$BASE/1/standing")->tx->res->json('/checked_s') };
    my %shown = ( %{ standing() }, patron_id => 1, is_checking => Mojo::JSON->false );
    $shown{is_good} = Mojo::JSON->false;
    my $said = $t->get_ok("$BASE/1/standing")->status_is(200)->tx->res->json;
    cmp_ok( delete $said->{checked_s}, '<', 10, 'just now' );
    is_deeply( $said, \%shown, 'as the service said it' );
    $koha->{dbh}->do( "UPDATE $TABLE SET checked_at = ?", undef, time - 3600 );
    my $age = $age_of->();
    ok( $age >= 3600 && $age < 3610, 'as old as it is' );
    $t->put_ok( $BASE => json => { checked => [ 1, 7 ] } )->status_is(204);
    cmp_ok( $age_of->(), '<', 10, 'checked again' );
    $t->get_ok($BASE)->json_is( '/copies/0/standing/reasons' => ['DEBT_OVER_LIMIT'] );
    $t->put_ok( "$BASE/1" => json => row( version => 1 ) )->status_is(200);
    $t->get_ok("$BASE/1/standing")->status_is( 200, 'what is written without one leaves it' );
    $t->put_ok( "$BASE/1" => json => row( version => 2, standing => undef ) )->status_is(200);
    $t->get_ok("$BASE/1/standing")->status_is( 404, 'taken away' )->json_is( '/error_code' => 'no_standing' );
};

subtest 'the name of a home library keeps all its letters, whatever the database hands out' => sub {
    my $name = "Biblioth\x{e8}que \x{141}\x{f3}d\x{17a}";
    my ( $t, $koha ) = api_with_standing( home_name => $name );
    $t->get_ok("$BASE/1/standing")->status_is(200)->json_is( '/home_name' => $name );
    $t->get_ok($BASE)->status_is(200)->json_is( '/copies/0/standing/home_name' => $name );
    my ($stored) = $koha->{dbh}->selectrow_array("SELECT standing FROM $TABLE");
    unlike( $stored, qr{[^\x{00}-\x{7f}]}xms, 'stored in ASCII' );
};

subtest 'while the check of a visit runs, the desk is told so, and not for ever' => sub {
    my ( $t, $koha ) = api_with_standing();
    my $is_checking = sub { return $t->get_ok("$BASE/1/standing")->tx->res->json('/is_checking') };
    foreach my $case ( [ 5, 9, 1 ], [ 9, 5, 0 ], [ 100, 200, 0 ] ) {
        my ( $seen_s, $checked_s, $expected ) = @{$case};
        $koha->{dbh}->do( "UPDATE $TABLE SET seen_at = ?, checked_at = ?", undef, time - $seen_s, time - $checked_s );
        is( $is_checking->() ? 1 : 0, $expected, "scanned $seen_s s ago, checked $checked_s s ago" );
    }
};

subtest 'nothing is shown of who is no copy: another patron, or one whose home key is gone' => sub {
    my ( $t, $koha ) = api_with_standing();
    $koha->add_patron( '21234000000018', 'native' );
    $t->get_ok("$BASE/2/standing")->status_is(404);
    $koha->{dbh}->do('DELETE FROM borrower_attributes');
    $t->get_ok("$BASE/1/standing")->status_is(404);
};

subtest 'nothing is shown to who may not see the patron, and nobody learns that a card is theirs' => sub {
    my ( $t, $koha ) = api_with_standing();
    $koha->configure;
    my %code   = ( json => { code => '21234000000017' } );
    my $codes  = '/api/v1/contrib/passport/codes';
    my $on_page = sub { return facts_in( checkout_page( $koha, $_[0] ) )->{standing} ? 1 : 0 };
    my @queries = qw( borrowernumber=1 findborrower=21234000000017 );
    $t->post_ok( $codes => %code )->status_is(200)->json_is( '/is_patron' => Mojo::JSON->true );
    $t->get_ok("$BASE/1/standing")->status_is(200);
    is( $on_page->($_), 1, "seen: $_" ) foreach @queries;

    my $is_hidden = sub {
        my ($why) = @_;
        $t->post_ok( $codes => %code )->status_is(200)->json_is( '/is_patron' => Mojo::JSON->false, $why );
        $t->get_ok("$BASE/1/standing")->status_is( 404, $why )->json_is( '/error_code' => 'no_standing' );
        is( $on_page->($_), 0, "$why: $_" ) foreach @queries;
    };
    {
        local $Koha::Patron::SEES_ALL = 0;
        $is_hidden->('a patron of another branch, where those are hidden');
    }
    local $C4::Context::USERENV = undef;
    $is_hidden->('nobody is logged in');
};

subtest 'what is no standing is refused, an amount above all' => sub {
    my ($t) = api();
    foreach my $wrong (
        standing( amount    => 400 ),
        standing( reasons   => ['owes 400'] ),
        standing( home_name => q{} ),
        { is_good => \1 }, 'good'
        )
    {
        $t->put_ok( "$BASE/812" => json => row( standing => $wrong ) )->status_is(400);
    }
    $t->put_ok( $BASE => json => $_ )->status_is(400) foreach {}, { checked => [] }, { checked => ['x'] }, { checked => [ 1 .. 201 ] };
};

subtest 'a row says for which home libraries the copy is restricted for its standing' => sub {
    my ( $t, $koha ) = api_with_standing();
    my $one = '/api/v1/contrib/passport/restrictions/standing/midland/1';
    $t->put_ok( $one => json => { until => undef, codes => [qw( EXPIRED DEBT_OVER_LIMIT )] } )->status_is(204);
    $t->get_ok($BASE)
        ->json_is( '/copies/0/standing_at'   => ['midland'] )
        ->json_is( '/copies/0/restricted_at' => [] );
};

sub checkout_page {
    my ( $koha, $query ) = @_;

    local $ENV{SCRIPT_NAME}  = '/intranet/circ/circulation.pl';
    local $ENV{QUERY_STRING} = $query;
    CGI::initialize_globals();

    return $koha->{plugin}->intranet_js;
}

# What stands in a page for the script, by name.
sub facts_in {
    my ($html) = @_;

    return { map { $_->{id} =~ s{\A passport- }{}xmsr => from_json( $_->text ) }
            Mojo::DOM->new($html)->find('script[type="application/json"]')->each };
}

# A Koha with that copy and a patron of its own, number 2.
sub desk_with_standing {
    my ( undef, $koha ) = api_with_standing();
    $koha->configure(@_)->add_patron( '21234000000018', 'native' );

    return $koha;
}

my @OF_NO_COPY = ( qw( borrowernumber=2 findborrower=21234000000018 borrowernumber=x findborrower=nobody ), q{} );

subtest 'the checkout page of a copy, and no other, has the standing in it, and each has what the panel needs' => sub {
    my $koha = desk_with_standing();
    foreach my $query (qw( borrowernumber=1 findborrower=21234000000017 )) {
        my $html  = checkout_page( $koha, $query );
        my $facts = facts_in($html);
        is_deeply( [ sort keys %{$facts} ], [qw( desk standing )], "$query: both" );
        is_deeply( $facts->{standing}{standing}{reasons}, ['DEBT_OVER_LIMIT'], "$query: its standing" );
        is_deeply( [ grep { !m{\A (?: standing | reason ) [.]}xms } keys %{ $facts->{standing}{messages}{en} } ],
            [], "$query: with its own words alone" );
        ok( $facts->{desk}{messages}{en}{'outcome.COPIED'}, "$query: the panel has all words" );
        is( scalar( () = $html =~ m{desk[.]js}gxms ), 1, "$query: one script" );
    }
    foreach my $query (@OF_NO_COPY) {
        is_deeply( [ keys %{ facts_in( checkout_page( $koha, $query ) ) } ], ['desk'], $query || 'none' );
    }
};

subtest 'a library that does not serve its desks has the standing and no panel' => sub {
    my $koha = desk_with_standing( staff => 0 );
    my $html = checkout_page( $koha, 'borrowernumber=1' );
    is_deeply( [ keys %{ facts_in($html) } ], ['standing'], 'of a copy' );
    like( $html, qr{desk[.]js}xms, 'with the script' );
    unlike( $html, qr{outcome[.]COPIED}xms, 'and no word of the panel' );
    is( checkout_page( $koha, $_ ), q{}, $_ || 'none' ) foreach @OF_NO_COPY;

    $koha->configure( copies => 0 );
    is( checkout_page( $koha, 'borrowernumber=1' ), q{}, 'nothing where copies are switched off too' );
};

subtest 'a library that has switched copies off has the panel alone' => sub {
    my $koha = desk_with_standing( copies => 0 );
    is_deeply( [ keys %{ facts_in( checkout_page( $koha, 'borrowernumber=1' ) ) } ], ['desk'], 'it has' );
};

subtest 'the checkout page costs a query for the settings, and one for whose it is; a copy, two for who may see it' => sub {
    my $koha  = desk_with_standing();
    my %costs = (
        'borrowernumber=1' => 4,
        'borrowernumber=2' => 2,
        q{}                => 1,
        'borrowernumber=2&barcode=39999000012345' => 2,
    );
    foreach my $query ( sort keys %costs ) {
        my @statements = $koha->statements_of( sub { checkout_page( $koha, $query ) } );
        is( scalar @statements, $costs{$query}, $query || 'none' );
        is( scalar( grep {m{plugin_data}xms} @statements ), 1, 'the settings once' );
    }
};

subtest 'a card in the box for items makes it the page of that patron where Koha has it so' => sub {
    my $koha = desk_with_standing();
    my $is_shown
        = sub { return facts_in( checkout_page( $koha, "borrowernumber=$_[0]&barcode=$_[1]" ) )->{standing} ? 1 : 0 };
    is( $is_shown->( 1, '21234000000018' ), 1, 'no card without AutoSwitchPatron' );
    local $C4::Context::PREFERENCE{AutoSwitchPatron} = 1;
    is( $is_shown->( 1, '21234000000018' ), 0, 'from the copy to a patron of this library' );
    is( $is_shown->( 2, '21234000000017' ), 1, 'to the copy' );
    is( $is_shown->( 1, '39999000012345' ), 1, 'an item switches nobody' );
    is( $is_shown->( 2, '39999000012345' ), 0, 'nor here' );
};

subtest 'where the standing cannot be told the panel is there all the same' => sub {
    my $koha = desk_with_standing();
    $koha->{dbh}->do("UPDATE $TABLE SET standing = 'no JSON'");
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    is_deeply( [ keys %{ facts_in( checkout_page( $koha, 'borrowernumber=1' ) ) } ], ['desk'], 'it is' );
    is( scalar @warnings, 1, 'and it is written down' );
    like( "@warnings", qr{the [ ] standing [ ] of [ ] a [ ] copy [ ] failed}xms, 'as what it is' );
};

subtest 'the nightly job forgets the patrons that Koha deleted, and an upgrade nobody' => sub {
    my ( $t, $koha ) = api();
    $koha->add_patron( '21234000000017', 'okafor' );
    my ($id) = $koha->{dbh}->selectrow_array('SELECT MAX(borrowernumber) FROM borrowers');
    $t->put_ok( "$BASE/$_" => json => row() )->status_is(200) foreach $id, $id + 5;
    $koha->{plugin}->$_ foreach qw( upgrade cronjob_nightly );
    $t->get_ok($BASE)->json_is( '/copies/0/patron_id' => $id )->json_hasnt('/copies/1');
};

subtest 'the table goes with the plugin' => sub {
    my ( undef, $koha ) = api();
    $koha->{plugin}->uninstall foreach 1 .. 2;
    local $koha->{dbh}{PrintError} = 0;
    ok( !eval { $koha->{dbh}->selectrow_array("SELECT 1 FROM $TABLE"); 1 }, 'gone' );
    $koha->{plugin}->install;
    is_deeply( $koha->{plugin}->copies->page( {} ), [], 'back, and empty' );
};

subtest 'a database that fails is a 500 without a word of what was sent' => sub {
    my ( $t, $koha ) = api();

    # a table that an older version, or somebody else, has made otherwise
    $koha->{dbh}->do($_) foreach "DROP TABLE $TABLE", "CREATE TABLE $TABLE (patron_id BIGINT)";
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    local $koha->{dbh}{PrintError} = 0;
    $t->put_ok( "$BASE/812" => json => row() )
        ->status_is(500)
        ->json_is( '/error_code' => 'internal_server_error' );
    unlike( "@warnings", qr{midland:8|$HASH}xms, 'nor in the log' );
};

done_testing;

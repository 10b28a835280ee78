use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use CGI;
use Mojo::DOM;
use Mojo::File ();
use Mojo::JSON ();
use POSIX      qw( strftime );
use Test::More;
use Time::HiRes qw( time );

use Koha::Patron;
use Koha::Plugin::Org::PatronPassport::Signature qw( headers_for key_of );
use Passport::TestKoha;
use Passport::TestReceiver;

my $FOLDER = "$FindBin::Bin/../Koha/Plugin/Org/PatronPassport";
my $WORDS  = Mojo::JSON::decode_json( Mojo::File->new("$FOLDER/tool.json")->slurp );
my $DESK   = Mojo::JSON::decode_json( Mojo::File->new("$FOLDER/desk/messages.json")->slurp );
my $EVENT  = 'scan_0123456789abcdef';

my $STARTED = time;

my @warnings;
local $SIG{__WARN__} = sub { push @warnings, @_ };

sub iso {
    my ($seconds) = @_;

    return strftime '%Y-%m-%dT%H:%M:%S.000Z', gmtime $seconds;
}

# What a receiver says, with what a test changes.
sub status_of {
    my (%changed) = @_;

    return {
        library    => { id => 'riverside', name => 'Riverside County Library' },
        checked_at => iso(time),
        version    => '1.0.0',
        workers    => { alive => Mojo::JSON->true, versions => ['1.0.0'] },
        pauses     => [],
        planned    => [],
        events     => { queued => 1, working => 2, waiting => 3, failed => 0 },
        outcomes   => { since  => iso( time - 100 ), counts => [] },
        failures   => [],
        findings   => { open => 0, new => 0, listed => [] },
        needs      => {
            mode               => 'copy',
            categories         => ['PT'],
            branch             => undef,
            passport_attribute => 'PASSPORTED',
            home_key_attribute => 'PASSPORTED_ID',
            seen_copies        => Mojo::JSON->false,
            cards              => [],
        },
        %changed,
    };
}

sub failure_of {
    my (%changed) = @_;

    return {
        event_id   => $EVENT,
        outcome    => 'HOME_UNREACHABLE',
        reasons    => [],
        homes      => [ { id => 'midland',   name => 'Midland Public Library' } ],
        libraries  => [ { id => 'riverside', name => 'Riverside County Library' } ],
        problem    => undef,
        scanned_at => iso( time - 60 ),
        updated_at => iso( $STARTED - 50 ),
        %changed,
    };
}

# A receiver that answers so, and a Koha that is set up for it.
sub koha_at {
    my ( $how, %settings ) = @_;

    my $koha     = Passport::TestKoha->new;
    my $answer   = ref $how eq 'HASH' ? sub { return Passport::TestReceiver::_reply( 200, $how ) } : $how;
    my $receiver = Passport::TestReceiver->start($answer);
    $koha->configure( receiver_url => $receiver->url, service_user => 1, %settings );
    set_up($koha);
    $koha->{receiver} = $receiver;

    return ( $koha, $receiver );
}

# What docs/koha-setup.md has a library do.
sub set_up {
    my ($koha) = @_;

    $C4::Context::PREFERENCE{RESTOAuth2ClientCredentials} = 1;
    $koha->add_patron( '9', 'service' );
    $koha->{dbh}->do(q{INSERT INTO categories (categorycode, description) VALUES ('PT', 'Visitor')});
    $koha->{dbh}->do(
        q{INSERT INTO circulation_rules (rule_name, rule_value) VALUES ('maxissueqty', '5')});
    $koha->{dbh}
        ->do(q{INSERT INTO api_keys (patron_id, client_id, secret) VALUES (1, 'id', 'planted-secret')});
    %Koha::Patron::PERMISSIONS = ( 1 => { borrowers => 1, circulate => 1, catalogue => 1 } );

    return;
}

sub page_of {
    my ( $koha, $language ) = @_;

    local $ENV{REQUEST_METHOD} = 'GET';
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc; KohaOpacLanguage=' . ( $language // 'en' );
    $koha->{plugin}{cgi} = CGI->new( {} );
    $koha->{plugin}->tool;

    return Mojo::DOM->new( $koha->{plugin}{shown} );
}

sub text_of {
    my ( $page, $selector ) = @_;

    my $element = $page->at($selector) or return;

    return $element->all_text =~ s{\s+}{ }gxmsr =~ s{\A [ ] | [ ] \z}{}gxmsr;
}

# "id:level" of each check.
sub levels_of {
    my ($page) = @_;

    return join q{ },
        $page->find('#passport_checks > li')->map( sub {"$_->{'data-check'}:$_->{'data-level'}"} )->each;
}

my $ALL_OK
    = 'settings:ok receiver:ok identity:ok clock:ok worker:ok desk:ok api:ok user:ok types:ok categories:ok rules:ok cards:ok';

my $COPIES = 'koha_plugin_org_patronpassport_copies';

sub setting {
    my ( $dbh, $key, $value ) = @_;

    $dbh->do( 'REPLACE INTO plugin_data VALUES (?, ?, ?)', undef, $Passport::TestKoha::CLASS, $key, $value );

    return;
}

sub give_away_login {
    my ($dbh) = @_;

    setting( $dbh, service_user => q{} );
    $dbh->do(q{INSERT INTO borrowers (cardnumber, userid) VALUES ('91', 'passport')});

    return;
}

sub partner {
    my ( $name, $patterns, @examples ) = @_;

    return { id => lc $name, name => $name, patterns => $patterns, examples => \@examples };
}

subtest 'partners whose cards the patterns here hide are named' => sub {
    my $needs = status_of()->{needs};
    my @cards = (
        partner( 'Midland', ['^21234\d{9}$'], '21234000000000' ),
        partner( 'Lakeside', ['^25678\d{9}$'], '25678000000000' ),
        partner('Hillside', [])
    );
    my ($koha) = koha_at( status_of( needs => { %{$needs}, cards => \@cards } ) );
    like( text_of( page_of($koha), '[data-check=cards]' ), qr{Lakeside,[ ]Hillside}xms, 'both that are' );
    $koha->configure( card_patterns => q{}, receiver_url => $koha->{receiver}->url, service_user => 1 );
    like( levels_of( page_of($koha) ), qr{cards:ok}xms, 'nobody, where there are none' );
};

subtest 'a plugin that is disabled says so' => sub {
    my ($koha) = koha_at( status_of() );
    $koha->{plugin}->disable;
    my $page = page_of($koha);
    is( text_of( $page, '#passport_headline' ), $WORDS->{en}{up_disabled}, 'the headline' );
    is( $page->at('#passport_headline')->{'data-tone'}, 'bad', 'the tone' );
};

subtest 'all is well: it says so, and there is nothing to do' => sub {
    my ( $koha, $receiver ) = koha_at( status_of() );
    my $page = page_of($koha);
    is( $page->at('#passport_headline')->{'data-tone'}, 'good',                            'the tone' );
    is( text_of( $page, '#passport_headline' ),         'The service is running.',         'the headline' );
    is( text_of( $page, 'h1' ), "Patron Passport 1.0.0 \x{2013} Riverside County Library", 'which library' );
    is( levels_of($page),       $ALL_OK,                                                   'each check' );
    is( $page->find('.passport-remedy')->size, 0,                                          'no remedy' );
    ok( $page->at('#passport_outcomes_none'), 'nothing today' );
    ok( $page->at('#passport_failed_none'),   'no failure' );
    like(
        text_of( $page, '#passport_now' ),
        qr{1 [ ] in [ ] the [ ] queue, [ ] 2 .* 3 [ ] waiting}xms,
        'what is open'
    );
    is( $page->find('form[method=post], input[name=op]')->size, 0, 'nothing on it changes anything' );
    like(
        $page->at('#passport_again')->{href},
        qr{class=Koha .* &method=tool \z}xms,
        'it can be checked again'
    );
    unlike( "$page", qr{whsec_ | planted-secret}xms, 'no secret' );

    my ($request) = $receiver->requests;
    is( $receiver->requests,                   1,                                         'one request' );
    is( "$request->{method} $request->{path}", 'POST /webhooks/riverside/service/status', 'to this route' );
    my $headers = headers_for(
        key_of($Passport::TestKoha::SECRET),
        @{ $request->{headers} }{qw( webhook-id webhook-timestamp )},
        $request->{body}
    );
    is( $request->{headers}{'webhook-signature'}, $headers->{'webhook-signature'}, 'signed' );
    my $sent = Mojo::JSON::decode_json( $request->{body} );
    is( $sent->{type}, 'library.status_requested', 'its type' );
    my ( $date, $time ) = $sent->{data}{since} =~ m{\A (\S{10}) T ([\d:]{8}) }xms;
    is( "$date $time", strftime( '%Y-%m-%d', localtime ) . ' 00:00:00', 'since midnight here' );
};

# Koha::ContentSecurityPolicy, from 26.05 on (bug 38365): scripts and styles of Koha's own, or with the nonce of the request
subtest 'nothing of the page is refused by the content security policy of a newer Koha' => sub {
    my ($koha) = koha_at(
        status_of(
            failures => [ failure_of() ],
            outcomes => { since => iso(time), counts => [ { outcome => 'COPIED', count => 1 } ] },
            pauses   => [ { side => 'home', until => iso(time), reason => 'backup' } ],
        )
    );
    my $ours = page_of($koha)->at('main');
    is( $ours->find('script, style, [style]')->size, 0, 'no script and no style' );
    unlike( "$ours", qr{ <[^>]+ \s on[a-z]+ \s* = }xms,                   'no handler of an event' );
    unlike( "$ours", qr{ (?: href | action | src ) = "? javascript: }xms, 'and no address that is a script' );
};

subtest 'outcomes are counted in the words of the desk, the most frequent first' => sub {
    my @counts = map { +{ outcome => $_->[0], count => $_->[1] } } (
        [ COPIED          => 12 ],
        [ NOT_FOUND       => 30 ],
        [ NOT_ELIGIBLE    => 2 ],
        [ LENDING_REFUSED => 1 ],
        [ FUTURE_ONE      => 1 ]
    );
    my ($koha) = koha_at( status_of( outcomes => { since => iso(time), counts => \@counts } ) );
    my $page   = page_of($koha);
    my @rows   = $page->find('#passport_outcomes tbody tr')
        ->map( sub { text_of( $_, 'td' ) . q{=} . $_->at('td + td')->text } )->each;
    is_deeply(
        \@rows,
        [   'No partner library knows this card.=30',
            'Copied from a partner library.=12',
            'Found at a partner library, but not allowed to borrow here.=2',
            'Riverside County Library could not store this patron.=1',
            'The scan failed.=1',
        ],
        'the rows, of a later version too'
    );
    is( $page->at('#passport_outcomes tfoot td')->text, '46', 'all together' );
};

subtest 'a failure is shown with its event, its time and what to do, and nothing of the patron' => sub {
    my %here  = ( id => 'riverside', name => 'Riverside County Library' );
    my @cases = (
        [ {}, 'Midland Public Library did not answer.', qr{Scan [ ] the [ ] card [ ] again[.]}xms ],
        [   { homes => [ map { +{ id => $_, name => $_ } } qw( A B C ) ] },
            'A, B, and C did not answer.', qr{again}xms
        ],
        [   { reasons => ['PAUSED'] },
            'Paused for now: Midland Public Library.',
            qr{when [ ] the [ ] pause [ ] is [ ] over}xms
        ],
        [   {   outcome => 'MISCONFIGURED',
                problem => { library => 'riverside', what => 'category', name => 'PT' }
            },
            'The passport service is not set up correctly for Riverside County Library. Riverside County Library:'
                . ' a patron category is missing (PT).',
            qr{Create [ ] this [ ] category}xms
        ],
        [   {   outcome => 'MISCONFIGURED',
                problem => { library => 'midland', what => 'credentials', name => undef }
            },
            'The passport service is not set up correctly for Midland Public Library. Midland Public Library:'
                . q{ the service's credentials are refused.},
            qr{Midland [ ] Public [ ] Library [ ] has [ ] to [ ] correct [ ] this}xms
        ],
        [   { outcome => 'LENDING_REFUSED' },
            'Riverside County Library could not store this patron.',
            qr{log}xms
        ],
        [ { outcome => 'FUTURE_ONE' }, 'The scan failed.', qr{Inform [ ] the [ ] operator}xms ],
    );
    my @failures = map { failure_of( card => '21234000000017', surname => 'Planted', %{ $_->[0] } ) } @cases;
    my ($koha) = koha_at(
        status_of(
            failures => \@failures,
            events   => { queued => 0, working => 0, waiting => 0, failed => 31 }
        )
    );
    local $C4::Context::PREFERENCE{dateformat} = 'dmydot';
    my $page  = page_of($koha);
    my @shown = $page->find('#passport_failed > li')->each;
    is( scalar @shown, scalar @cases, 'each of them' );

    foreach my $place ( 0 .. $#cases ) {
        is( text_of( $shown[$place], 'strong' ), $cases[$place][1], 'what happened' );
        like( $shown[$place]->all_text, $cases[$place][2], 'what to do' );
    }
    is( text_of( $page, '#passport_failed code' ), $EVENT, 'the event' );
    is( text_of( $page, '#passport_failed time' ),
        strftime( '%d.%m.%Y %H:%M', localtime( $STARTED - 50 ) ),
        'the time, as Koha writes it'
    );
    like( text_of( $page, '#passport_more' ), qr{newest [ ] 7 [ ] of [ ] 31}xms, 'how many more' );
    unlike( "$page", qr{Planted | 21234}xms, 'nothing else that was sent' );
};

subtest 'copies to look at have a link to the patron, what it is and what to do' => sub {
    my @listed = (
        {   patron_id => 402,
            finding   => 'HOME_GONE',
            since     => iso( $STARTED - 50 ),
            new       => Mojo::JSON->true,
            surname   => 'Planted'
        },
        {   patron_id => 403,
            finding   => 'FUTURE_ONE',
            since     => iso( $STARTED - 90_000 ),
            new       => Mojo::JSON->false
        },
        { patron_id => '404"><b>', finding => 'HOME_GONE', since => iso($STARTED), new => Mojo::JSON->true },
    );
    my ($koha) = koha_at( status_of( findings => { open => 31, new => 1, listed => \@listed } ) );
    my $page   = page_of($koha);
    my @shown  = $page->find('#passport_copies tbody tr')->each;
    is( scalar @shown, 2, 'each of them that is one' );
    is( $shown[0]->at('a')->{href},
        '/cgi-bin/koha/members/moremember.pl?borrowernumber=402',
        'the page of the patron in this Koha'
    );
    like( $shown[0]->all_text, qr{New .* has [ ] left [ ] the [ ] home [ ] library}xms, 'what it is' );
    like( $shown[1]->all_text, qr{403 \s* FUTURE_ONE}xms, 'what a later service says' );
    is( $shown[1]->find('.badge')->size, 0, 'only what is new is marked' );
    like( text_of( $page, '#passport_findings_more' ), qr{latest [ ] 2 [ ] of [ ] 31}xms, 'how many' );
    unlike( "$page", qr{Planted}xms, 'nothing else that was sent' );

    ($koha) = koha_at( status_of() );
    is( text_of( page_of($koha), '#passport_findings_none' ), 'None.', 'none' );
};

subtest 'pauses that last and that are planned are named with their reasons' => sub {
    my $until = time + 3600;
    my ($koha) = koha_at(
        status_of(
            pauses  => [ { side => 'lending', until => iso($until), reason => 'migration <b>' } ],
            planned =>
                [ { side => 'home', from => iso($until), until => iso( $until + 60 ), reason => 'backup' } ],
        )
    );
    my $page = page_of($koha);
    is( $page->at('#passport_headline')->{'data-tone'}, 'warn', 'a warning' );
    like( text_of( $page, '#passport_headline' ), qr{This [ ] library [ ] is [ ] paused[.]}xms,
        'it says so' );
    my $at = strftime '%Y-%m-%d %H:%M', localtime $until;
    is( text_of( $page, '#passport_pauses strong' ),
        "Cards scanned here wait until $at: migration <b>",
        'the pause'
    );
    like(
        text_of( $page, '#passport_pauses li + li' ),
        qr{\A Planned: .* from [ ] \Q$at\E .* backup \z}xms,
        'the planned one'
    );
};

subtest 'a service without a worker, or with one of another version' => sub {
    my ($koha) = koha_at( status_of( workers => { alive => Mojo::JSON->false, versions => [] } ) );
    my $page = page_of($koha);
    is( $page->at('#passport_headline')->{'data-tone'}, 'bad', 'no worker' );
    like(
        text_of( $page, '#passport_headline' ),
        qr{stopped [ ] at [ ] the [ ] moment}xms,
        'in the words of the desk'
    );
    like( levels_of($page), qr{worker:fault}xms, 'and a fault' );

    foreach ( [ ['0.9.0'], 'fault' ], [ [ '0.9.0', '1.0.0' ], 'warning' ], [ [], 'ok' ] ) {
        my ( $versions, $level ) = @{$_};
        ($koha) = koha_at( status_of( workers => { alive => Mojo::JSON->true, versions => $versions } ) );
        $page = page_of($koha);
        like( levels_of($page), qr{worker:$level}xms, "workers of @{$versions}" );
        is( $page->at('#passport_headline')->{'data-tone'}, 'good', 'scans are processed' );
    }
};

subtest 'a receiver that is down, slow, or answers garbage leaves the page working, in a few seconds' => sub {
    my %seen = (
        down       => qr{nobody [ ] listens}xms,
        hangs      => qr{did [ ] not [ ] answer [ ] within [ ] 2\d\d\d [ ] ms}xms,
        drips      => qr{did [ ] not [ ] answer}xms,
        garbage    => qr{broke [ ] off}xms,
        hangs_up   => qr{broke [ ] off}xms,
        truncated  => qr{does [ ] not [ ] answer [ ] as | broke [ ] off}xms,
        html       => qr{does [ ] not [ ] answer [ ] as [ ] it [ ] should}xms,
        redirects  => qr{does [ ] not [ ] answer [ ] as [ ] it [ ] should}xms,
        status_500 => qr{does [ ] not [ ] answer [ ] as [ ] it [ ] should}xms,
        status_503 => qr{does [ ] not [ ] answer [ ] as [ ] it [ ] should}xms,
        status_429 => qr{does [ ] not [ ] answer [ ] as [ ] it [ ] should}xms,
    );
    foreach my $how ( sort keys %seen ) {
        my ( $koha, $receiver ) = koha_at( $how eq 'down' ? 'accepts' : $how );
        $receiver->stop if $how eq 'down';
        my $started = time;
        my $page    = page_of($koha);
        cmp_ok( time - $started, '<', 4, "$how: in time" );
        is( $page->at('#passport_headline')->{'data-tone'}, 'bad', "$how: the tone" );
        like( text_of( $page, '#passport_headline' ), $seen{$how}, "$how: plainly" );
        like(
            levels_of($page),
            qr{receiver:fault [ ] identity:unchecked [ ] clock:unchecked [ ] worker:unchecked}xms,
            "$how: what is wrong, and what is not known"
        );
        like(
            levels_of($page),
            qr{api:ok [ ] user:ok [ ] types:unchecked}xms,
            "$how: Koha is checked all the same"
        );
        ok( $page->at('#passport_without'), "$how: no figures" );
    }
};

subtest 'an answer of the wrong kinds is cleaned, and never breaks the page' => sub {
    my @strange = ( 'text', 7, undef, [], {},
        [ [], {}, 'x', undef, { outcome => '<i>', count => -1, side => 'x' } ] );
    my @fields  = qw( workers pauses planned events outcomes failures findings needs version );
    my @answers = map {
        my $field = $_;
        map { status_of( $field => $_ ) } @strange
    } @fields;
    my $place = 0;
    my ($wild) = koha_at( sub { return Passport::TestReceiver::_reply( 200, $answers[ $place++ ] ) } );
    foreach my $field ( map { ($_) x @strange } @fields ) {
        my $page = eval { page_of($wild) };
        ok( $page && $page->at('#passport_headline')->{'data-tone'}, "$field" );
        like( levels_of($page), qr{receiver:ok}xms, 'it is a status all the same' );
    }
    my @many = map { failure_of( event_id => "evt_$_" ) } 1 .. 80;
    my ($koha) = koha_at( status_of( failures => \@many ) );
    cmp_ok( page_of($koha)->find('#passport_failed > li')->size, '<=', 50, 'no more than a page can show' );
    ($koha) = koha_at( status_of( library => { id => '"><script>alert(1)</script>', name => 'x' } ) );
    like( levels_of( page_of($koha) ), qr{receiver:fault}xms, 'an id that is none: not a receiver' );
    ($koha) = koha_at( status_of( library => { id => 'riverside', name => '<script>alert(1)</script>' } ) );
    is( page_of($koha)->find('script')->size, 0, 'and no text becomes markup' );
};

subtest 'refusals by the receiver are distinguished: secret, id, clock' => sub {
    my %level = (
        signature => 'receiver:ok identity:fault clock:unchecked',
        library   => 'receiver:ok identity:fault clock:unchecked',
        clock     => 'receiver:ok identity:unchecked clock:fault',
    );
    my %remedy = (
        signature => qr{Correct [ ] library [ ] id [ ] or [ ] secret}xms,
        library   => qr{Correct [ ] library [ ] id [ ] or [ ] secret}xms,
        clock     => qr{timedatectl}xms,
    );
    foreach my $reason ( sort keys %level ) {
        my ($koha) = koha_at(
            sub {
                return Passport::TestReceiver::_reply( 401, { code => 'unauthorized', reason => $reason } );
            }
        );
        my $page = page_of($koha);
        like(
            text_of( $page, '#passport_headline' ),
            qr{refuses [ ] this [ ] library}xms,
            "$reason: the headline"
        );
        like( levels_of($page),                     qr{\Q$level{$reason}}xms, "$reason: the check" );
        like( text_of( $page, '#passport_checks' ), $remedy{$reason},         "$reason: the remedy" );
    }
    local $C4::Context::CONFIG{passport_secret};
    my ($koha) = koha_at('status_401');
    $C4::Context::CONFIG{passport_secret} = 'whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=';
    like(
        text_of( page_of($koha), '#passport_checks' ),
        qr{<passport_secret> [ ] in [ ] koha-conf}xms,
        'a secret in koha-conf.xml is corrected there'
    );
};

subtest 'a clock that is off is a warning long before it is refused' => sub {
    foreach ( [ 50, 'ok' ], [ 70, 'warning' ], [ -70, 'warning' ] ) {
        my ($koha) = koha_at( status_of( checked_at => iso( time + $_->[0] ) ) );
        like( levels_of( page_of($koha) ), qr{clock:$_->[1]}xms, "$_->[0] s" );
    }
};

subtest 'a server that is no receiver is none' => sub {
    my ($koha) = koha_at('status_404');
    like( levels_of( page_of($koha) ), qr{receiver:fault [ ] identity:unchecked}xms, 'it says so' );
};

subtest 'a plugin that is not set up queries nobody, and says what is missing' => sub {
    my $koha = Passport::TestKoha->new;
    set_up($koha);
    my $page = page_of($koha);
    like( text_of( $page, '#passport_headline' ), qr{not [ ] set [ ] up [ ] here [ ] yet}xms,
        'the headline' );
    like( levels_of($page), qr{\A settings:fault [ ] receiver:unchecked}xms, 'the check' );
};

subtest 'each thing that this Koha lacks is a fault with its remedy' => sub {
    my $all   = { borrowers => 1, circulate => 1, catalogue => 1 };
    my %wrong = (
        api_off        => [ sub { $C4::Context::PREFERENCE{RESTOAuth2ClientCredentials} = 0 }, 'api:fault' ],
        attributes_off => [ sub { $C4::Context::PREFERENCE{ExtendedPatronAttributes} = '0' }, 'types:fault' ],
        type_missing   => [
            sub { $_[0]->do(q{DELETE FROM borrower_attribute_types WHERE code = 'PASSPORTED'}) },
            'types:fault'
        ],
        type_unique =>
            [ sub { $_[0]->do(q{UPDATE borrower_attribute_types SET unique_id = 1}) }, 'types:fault' ],
        type_not_unique =>
            [ sub { $_[0]->do(q{UPDATE borrower_attribute_types SET unique_id = 0}) }, 'types:fault' ],
        type_editable =>
            [ sub { $_[0]->do(q{UPDATE borrower_attribute_types SET opac_editable = 1}) }, 'types:fault' ],
        type_shown =>
            [ sub { $_[0]->do(q{UPDATE borrower_attribute_types SET opac_display = 1}) }, 'types:warning' ],
        type_mandatory => [
            sub { $_[0]->do(q{INSERT INTO borrower_attribute_types (code, mandatory) VALUES ('SHOE', 1)}) },
            'types:fault'
        ],
        category_missing => [ sub { $_[0]->do('DELETE FROM categories') },             'categories:fault' ],
        rules_missing    => [ sub { $_[0]->do('DELETE FROM circulation_rules') },      'rules:fault' ],
        user_none        => [ sub { $_[0]->do('UPDATE api_keys SET active = 0') },     'user:fault' ],
        user_unset       => [ sub { setting( @_, service_user       => q{} ) },           'user:fault' ],
        user_no_key      => [ sub { setting( @_, service_user       => 7 ) },             'user:fault' ],
        user_taken       => [ \&give_away_login,                                      'user:fault.*user:fault' ],
        sip_branch       => [ sub { setting( @_, __UNKNOWN_BRANCH__ => int(time) . ' kohalibrary' ) }, 'sip:warning' ],
        tables_missing   => [ sub { $_[0]->do("DROP TABLE $COPIES") },                    'tables:fault' ],
        user_lacks       => [ sub { delete $Koha::Patron::PERMISSIONS{1}{circulate} }, 'user:fault' ],
        plack_few        => [ sub { $C4::Context::CONFIG{plack_workers} = 1 },         'plack:warning' ],
    );
    foreach my $key ( sort keys %wrong ) {
        my ($koha) = koha_at( status_of() );
        $wrong{$key}[0]->( $koha->{dbh} );
        my $page = page_of($koha);
        like( levels_of($page), qr{$wrong{$key}[1]}xms, "$key: the level" );
        my ($begin) = $WORDS->{en}{$key} =~ m{\A ( [^\{]{4,} ) }xms;
        like( text_of( $page, '#passport_checks' ), qr{\Q$begin}xms, "$key: the sentence" ) if defined $begin;
        ok( $page->at('.passport-remedy'), "$key: the remedy" );
        unlike( $page->all_text, qr/[{] \w+ [}]/xms, "$key: no blank is left" );
    }

    my ($koha) = koha_at( status_of() );
    $koha->{dbh}->do(
        q{INSERT INTO borrower_attribute_types (code, mandatory, category_code) VALUES ('SHOE', 1, 'ST')});
    is( levels_of( page_of($koha) ), $ALL_OK, 'what is mandatory for others is no fault' );
    $koha->{dbh}->do(
        q{INSERT INTO borrower_attribute_types (code, mandatory, category_code) VALUES ('HAT', 1, 'PT')});
    like( levels_of( page_of($koha) ), qr{types:fault}xms, 'what is mandatory for copies is' );
    ($koha) = koha_at( status_of() );
    $koha->{dbh}->do(q{UPDATE borrower_attribute_types SET mandatory = 1 WHERE code = 'PASSPORTED'});
    is( levels_of( page_of($koha) ), $ALL_OK, 'what every copy gets may be mandatory' );

    ($koha) = koha_at( status_of() );
    $koha->{dbh}->do($_)
        foreach q{INSERT INTO borrower_attribute_types (code, mandatory) VALUES ('LOCKER', 1)},
        q{INSERT INTO borrower_attribute_types_branches VALUES ('LOCKER', 'MAIN')};
    is( levels_of( page_of($koha) ), $ALL_OK, 'what is limited to libraries is mandatory for no copy' );
};

subtest 'the user whom the configuration names counts, whatever other keys there are' => sub {
    my ($koha) = koha_at( status_of() );
    $koha->add_patron( '8', 'other' );
    $koha->{dbh}->do(q{INSERT INTO api_keys (patron_id, client_id, secret) VALUES (2, 'x', 'y')});
    is( levels_of( page_of($koha) ), $ALL_OK, 'another program has a key, too' );

    my ($crowded) = koha_at( status_of() );
    setting( $crowded->{dbh}, service_user => 2 );
    foreach my $id ( 2 .. 22 ) {
        $crowded->add_patron( "8$id", "other$id" );
        $crowded->{dbh}
            ->do( q{INSERT INTO api_keys (patron_id, client_id, secret) VALUES (?, 'x', 'y')}, undef, $id );
    }
    %Koha::Patron::PERMISSIONS = ( 2 => $Koha::Patron::PERMISSIONS{1} );
    is( levels_of( page_of($crowded) ), $ALL_OK, 'one of many users' );
    ($koha) = koha_at( status_of() );
    $Koha::Patron::PERMISSIONS{1} = {
        'borrowers:edit_borrowers' => 1,
        'borrowers:list_borrowers' => 1,
        circulate                  => 1,
        catalogue                  => 1
    };
    my $page = page_of($koha);
    like( levels_of($page), qr{user:warning}xms, 'patrons of one branch only: a warning' );
    like(
        text_of( $page, '#passport_checks' ),
        qr{permissions: [ ] borrowers: [ ] view_borrower_infos_from_any_libraries; [ ] borrowers[.]}xms,
        'it is named'
    );
    {
        no warnings 'redefine';
        local *Koha::version = sub { return '26.05.00.000' };
        like( text_of( page_of($koha), '#passport_checks' ),
            qr{any_libraries[.]}xms, 'from 26.05 on the whole module is not needed' );
    }
    {
        no warnings 'redefine';
        local *Koha::version = sub { return '23.11.09.000' };
        delete $Koha::Patron::PERMISSIONS{1}{'borrowers:list_borrowers'};
        unlike( text_of( page_of($koha), '#passport_checks' ),
            qr{list_borrowers}xms, 'before 24.11 there is no list_borrowers' );
    }
};

subtest 'what is switched off here is a warning, and of copies only where the service counts on it' => sub {
    my ($koha) = koha_at( status_of(), staff => 0, copies => 0 );
    like( levels_of( page_of($koha) ), qr{desk:warning [ ] api}xms, 'the desk' );
    my %needs = ( %{ status_of()->{needs} }, seen_copies => Mojo::JSON->true, branch => 'GONE' );
    ($koha) = koha_at( status_of( needs => \%needs ), copies => 0 );
    like(
        levels_of( page_of($koha) ),
        qr{copies:warning .* branch:fault}xms,
        'scans of copies, and a branch that is not there'
    );
};

subtest 'a member that only observes reads that first' => sub {
    my ($koha) = koha_at( status_of( needs => { %{ status_of()->{needs} }, mode => 'observe' } ) );
    like( text_of( page_of($koha), '#passport_headline' ), qr{only [ ] observes}xms, 'the headline' );
};

subtest 'the page speaks the language of Koha, or English' => sub {
    my %speaks = ( 'fr-FR' => 'fr', 'es-ES' => 'es', 'de-DE' => 'de', 'en' => 'en', 'nb-NO' => 'en' );
    foreach my $koha_language ( sort keys %speaks ) {
        my $language = $speaks{$koha_language};
        my ($koha) = koha_at(
            status_of(
                failures => [ failure_of( homes => [ map { +{ id => $_, name => $_ } } qw( A B ) ] ) ]
            )
        );
        my $page = page_of( $koha, $koha_language );
        is( $page->at('main')->{lang}, $language, "$koha_language: it says which" );
        is( text_of( $page, '#passport_headline' ),
            $WORDS->{$language}{up} =~ s{\s+}{ }gxmsr,
            'the headline'
        );
        my %and = ( en => 'and', fr => 'et', es => 'y', de => 'und' );
        like( text_of( $page, '#passport_failed strong' ), qr{A [ ] $and{$language} [ ] B}xms, 'a failure' );
        unlike( $page->all_text, qr/[{] \w+ [}]/xms, 'no blank is left' );
    }
};

subtest 'every outcome has words, every text is in every language, with the same blanks, and on the page' =>
    sub {
    require Koha::Plugin::Org::PatronPassport::OutcomeWords;
    my %english = %{ $WORDS->{en} };
    is_deeply( [ sort keys %{$WORDS} ], [qw( de en es fr )], 'four languages' );
    foreach my $language ( sort keys %{$WORDS} ) {
        my $words  = $WORDS->{$language};
        my $blanks = sub { join q{ }, sort $_[0] =~ m/[{] (\w+) [}]/gxms };
        is_deeply( [ sort keys %{$words} ], [ sort keys %english ], "$language: the same texts" );
        is_deeply(
            [ grep { $blanks->( $words->{$_} // q{} ) ne $blanks->( $english{$_} ) } sort keys %english ],
            [], "$language: the same blanks" );
        my $outcomes = Koha::Plugin::Org::PatronPassport::OutcomeWords::new_words(
            { language => $language, desk => $DESK->{$language}, page => $words } );
        my @codes = grep {m{\A outcome[.][A-Z_]+ \z}xms} sort keys %{ $DESK->{en} };
        foreach my $code ( map {s{outcome[.]}{}xmsr} @codes ) {
            my $text = $outcomes->counted( $code, 'Riverside' );
            unlike( $text, qr/[{}]/xms, "$language: $code has no blank" );
            isnt( $text, $DESK->{$language}{'outcome.other'}, "$language: $code has words of its own" );
        }
    }

    my $sources = join q{},
        map { Mojo::File->new("$FOLDER/$_")->slurp }
        qw( tool.tt page.tt elsewhere.tt StatusPage.pm SetupCheck.pm OutcomeWords.pm Elsewhere.pm );
    my %used = map { $_ => 1 }
        $sources =~ m{ \b words [.] (\w+) }gxms,
        $sources =~ m{ [\$] words -> [{] (elsewhere \w*) [}] }gxms,
        $sources
        =~ m{ ' ( up | (?: up | remedy | settings | receiver | identity | clock | worker | desk | copies | api | user | attributes | types?
        | categor(?:y|ies) | rules | branch | plack | cards | fix | tables | sip | elsewhere )_ \w+ ) ' }gxms,
        $sources =~ m{ [{] ( up_\w+ | fix_\w+ ) [}] }gxms;
    my $made = qr{\A (?: (?: level | pause | planned | count | fix | card )_ | finding_[[:upper:]] | outcome[.] ) }xms;
    is_deeply( [ sort grep { !exists $english{$_} } keys %used ],         [], 'none is missing' );
    is_deeply( [ sort grep { !$used{$_} && $_ !~ $made } keys %english ], [], 'and none is left over' );
    };

is_deeply( \@warnings, [], 'nothing of this was a warning in Koha\'s log' );

done_testing;

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use CGI;
use Mojo::File ();
use Mojo::JSON ();
use Test::More;

use Passport::TestKoha;
use Passport::TestReceiver;

my $OTHER_SECRET = 'whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=';
my %GOOD         = (
    receiver_url    => 'https://passport.example.org/',
    library         => 'riverside',
    staff_wait      => '1500',
    self_check_wait => '3000',
    card_patterns   => "^21234\\d{9}\$\r\n^25678\\d{9}\$",
    staff           => 1,
    self_check      => 1,
    sip             => " term1 \r\n\r\nself check 2",
    copies          => 1,
);

my $FOLDER = "$FindBin::Bin/../Koha/Plugin/Org/PatronPassport";
my %ALIKE  = ( fr => [qw( plugins title )], es => ['plugins'], de => [qw( plugins scans )] );
my $WORDS  = Mojo::JSON::decode_json( Mojo::File->new("$FOLDER/configure.json")->slurp );

# The page as a browser sees it, after the form with these values was sent (nothing: the page is only opened).
sub page_of {
    return page_in( 'en', @_ );
}

sub page_in {
    my ( $language, $koha, %sent ) = @_;

    return $koha->plugin_page( 'configure', \%sent, $language );
}

sub save {
    my ( $koha, %changed ) = @_;

    return page_of( $koha, op => 'cud-save', %GOOD, %changed );
}

sub text_of {
    my ( $page, $selector ) = @_;

    my $element = $page->at($selector) or return;

    return $element->all_text =~ s{\s+}{ }gxmsr =~ s{\A [ ] | [ ] \z}{}gxmsr;
}

subtest 'what is saved is used and shown again' => sub {
    my $koha = Passport::TestKoha->new;
    my $page = save( $koha, secret => $Passport::TestKoha::SECRET, copies => undef );
    ok( $page->at('#passport_saved'), 'it says so' );

    my $settings = $koha->{plugin}->settings;
    ok( $settings->is_complete, 'complete' );
    is( $settings->{receiver_url}, 'https://passport.example.org', 'without the last slash' );
    is_deeply( $settings->patterns, [ '^21234\d{9}$', '^25678\d{9}$' ], 'two patterns' );
    ok( $settings->serves('sip'),     'SIP is on' );
    ok( !$settings->serves('copies'), 'scans of copies are not reported' );
    is( $settings->wait_ms('staff'), 1500, 'the wait' );

    $page = page_of($koha);
    is( $page->at('#receiver_url')->{value}, 'https://passport.example.org',   'the address' );
    is( $page->at('#card_patterns')->text,   "^21234\\d{9}\$\n^25678\\d{9}\$", 'the patterns' );
    ok( $page->at('#staff[checked]'),   'the desk is on' );
    is( $page->at('#sip')->text, "term1\nself check 2", 'the SIP accounts' );
    ok( !$page->at('#copies[checked]'), 'scans of copies are off' );

    save( $koha, sip => q{ } );
    ok( !$koha->{plugin}->settings->serves('sip'), 'without an account, SIP is off' );
    ok( !Passport::TestKoha->new->{plugin}->settings->serves('sip'), 'as it is at first' );
};

subtest 'a page that is only opened speaks of no test, whatever variables Koha gives to every page' => sub {
    foreach my $koha ( Passport::TestKoha->new, Passport::TestKoha->new->configure ) {
        my $page = page_of($koha);
        ok( !$page->at("#passport_$_"), "no $_" ) foreach qw( test saved csrf faults );
    }
    local $ENV{HTTP_COOKIE} = 'CGISESSID=abc';
    my $plugin = Passport::TestKoha->new->{plugin};
    $plugin->{cgi} = CGI->new( {} );
    my $values = Koha::Plugin::Org::PatronPassport::Configuration::page($plugin);
    is_deeply( [ keys %{$values} ], ['passport'], 'ours are under one name' );
};

subtest 'the user of the service is chosen among those with an active key' => sub {
    my $koha = Passport::TestKoha->new;
    foreach my $id ( 1 .. 3 ) {
        $koha->add_patron( "9$id", "program$id" );
        $koha->{dbh}->do( 'INSERT INTO api_keys (patron_id, active) VALUES (?, ?)', undef, $id, $id < 3 ? 1 : 0 );
    }
    my $page = save($koha);
    is_deeply( $page->find('#service_user option')->map( sub { $_->{value} } )->to_array, [ q{}, 1, 2 ], 'both' );
    is( $page->at('#service_user option[value="2"]')->text, 'program2', 'by login' );
    ok( !$page->at('#service_user option[selected]'), 'none is chosen' );

    save( $koha, service_user => 2 );
    is( $koha->{plugin}->settings->{service_user}, 2, 'saved' );
    $koha->{dbh}->do('UPDATE api_keys SET active = 0');
    is( page_of($koha)->at('#service_user option[selected]')->{value}, 2, 'it stays, without a key too' );
};

subtest 'the secret goes in and never comes out' => sub {
    my $koha = Passport::TestKoha->new;
    like( text_of( page_of($koha), '#passport_secret_state' ), qr{\A Not [ ] set}xms, 'not set' );

    my @pages
        = ( save( $koha, secret => $OTHER_SECRET ), page_of($koha), save( $koha, secret => 'whsec_short' ) );
    like( text_of( $pages[1], '#passport_secret_state' ), qr{\A Set[.]}xms, 'set' );
    foreach my $page (@pages) {
        unlike( "$page", qr{whsec_[A-Za-z0-9]}xms, 'no page holds one' );
        is( $page->at('#secret')->{value}, q{}, 'its field is empty' );
    }
};

subtest 'a secret is never overwritten by nothing, or by what stands for it' => sub {
    my $koha = Passport::TestKoha->new;
    save( $koha, secret => $OTHER_SECRET );
    foreach my $left ( undef, q{}, q{   }, '********', "\x{2022}\x{2022}\x{2022}", '...' ) {
        ok( save( $koha, secret => $left )->at('#passport_saved'), 'the other fields are saved' );
        is( $koha->{plugin}->settings->{secret}, $OTHER_SECRET, 'kept' );
    }
    save( $koha, secret => $Passport::TestKoha::SECRET );
    is( $koha->{plugin}->settings->{secret}, $Passport::TestKoha::SECRET, 'a new one takes its place' );
    save( $koha, forget_secret => 1 );
    is( $koha->{plugin}->settings->{secret}, q{}, 'and can be forgotten' );
};

subtest 'a secret in koha-conf.xml goes before, and stays out of the database and the page' => sub {
    my $koha = Passport::TestKoha->new;
    local $C4::Context::CONFIG{passport_secret} = $OTHER_SECRET;
    my $page = save($koha);
    like( text_of( $page, '#passport_secret_state' ), qr{koha-conf[.]xml}xms, 'it says where' );
    ok( !$page->at('#secret'), 'nothing can be entered' );
    unlike( "$page", qr{\Q$OTHER_SECRET}xms, 'it is not shown' );
    ok( $koha->{plugin}->settings->is_complete, 'it is used' );
    my $stored = join q{},
        map { $_->[0] // q{} } @{ $koha->{dbh}->selectall_arrayref('SELECT plugin_value FROM plugin_data') };
    unlike( $stored, qr{\Q$OTHER_SECRET}xms, 'it is not stored' );
};

subtest 'what cannot be right is refused by name, and nothing is changed' => sub {
    my %bad = (
        receiver_url => [
            q{},                          'passport.example.org',
            'ftp://passport.example.org', 'http://passport.example.org',
            'http://10.0.0.1',            'https://u:p@x.org',
            'https://x.org/?a=1',         'javascript:alert(1)'
        ],
        library         => [ q{}, 'a b', '../x', 'x' x 65, '-x' ],
        service_user    => [ 'x', '0', '-1', '1 2', '12345678901' ],
        staff_wait      => [ q{}, '-1',  '5001', '1.5',    'soon', '99999' ],
        self_check_wait => ['x'],
        card_patterns   => [ '(', "^ok\$\n[", join "\n", ('a') x 51 ],
        secret => [ 'whsec_', 'whsec_AAAA', 'hunter2hunter2hunter2hunter2', substr $OTHER_SECRET, 6 ],
    );
    foreach my $field ( sort keys %bad ) {
        my $koha = Passport::TestKoha->new;
        save( $koha, secret => $OTHER_SECRET );
        my $before = { %{ $koha->{plugin}->settings } };
        foreach my $value ( @{ $bad{$field} } ) {
            my $page = save( $koha, staff => undef, $field => $value );
            ok( $page->at("#fault_$field"), "$field is marked: " . substr $value, 0, 30 );
            is( $page->at("#$field")->{'aria-describedby'},    "fault_$field", 'and described by its fault' );
            is( $page->find('[role=alert][id^=fault_]')->size, 1,              'it alone' );
            is_deeply( { %{ $koha->{plugin}->settings } }, $before, 'nothing was changed' );
        }
    }
};

subtest 'an address without TLS is taken only where nobody can listen' => sub {
    foreach my $url (qw( http://127.0.0.1:8080 http://localhost:8080 http://receiver:8080 http://[::1]:8080 ))
    {
        my $koha = Passport::TestKoha->new;
        ok( save( $koha, receiver_url => $url )->at('#passport_saved'), $url );
    }
};

subtest 'what was entered stays in the form, except the secret, and cannot leave it' => sub {
    my $koha = Passport::TestKoha->new;
    my $page = save( $koha, library => '"><script>alert(1)</script>', secret => $OTHER_SECRET );
    is( $page->at('#library')->{value}, '"><script>alert(1)</script>', 'as it was entered' );
    ok( !( grep { $_->text =~ m{alert}xms } $page->find('script')->each ), 'and it is no script' );
    is( $page->at('#secret')->{value}, q{}, 'the secret is not' );
};

subtest 'a form that was not sent from here changes nothing' => sub {
    foreach my $op (qw( cud-save cud-test cud-cards cud-setup cud-join-again )) {
        my $koha     = Passport::TestKoha->new;
        my $receiver = Passport::TestReceiver->start('accepts');
        $koha->configure( receiver_url => $receiver->url );
        my $page = page_of( $koha, %GOOD, op => $op, csrf_token => 'forged', library => 'evil' );
        ok( $page->at('#passport_csrf'), "$op: it says so" );
        is( $koha->{plugin}->settings->{library}, 'riverside', "$op: nothing was saved" );
        is( $receiver->requests,                  0,           "$op: nothing was sent" );
    }
    my $page = page_of( Passport::TestKoha->new );
    is( $page->find("form[method=post] input[name=csrf_token][value=token-of-abc]")->size,
        5, 'all forms have the token' );
    is( $page->find("form[method=post] input[name=op][value^=cud-]")->size,
        5, 'and an op that Koha lets through' );
};

subtest 'a save is never made by opening an address' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->{plugin}{cgi} = CGI->new( { %GOOD, op => 'cud-save', csrf_token => 'token-of-abc' } );
    local $ENV{REQUEST_METHOD} = 'GET';
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc';
    $koha->{plugin}->configure;
    is( $koha->{plugin}->settings->{library}, q{}, 'nothing was saved' );
};

subtest 'a test event shows what the receiver says' => sub {
    my %expected = (
        accepts    => qr{took [ ] the [ ] test [ ] event}xms,
        status_401 => qr{401 [ ] [(]bad_signature[)] .* clock}xms,
        status_503 => qr{503 .* later}xms,
        html       => qr{200 .* address [ ] of [ ] the [ ] receiver}xms,
        garbage    => qr{broke [ ] off}xms,
        down       => qr{nobody [ ] listens}xms,
    );
    foreach my $how ( sort keys %expected ) {
        my $koha     = Passport::TestKoha->new;
        my $receiver = Passport::TestReceiver->start( $how eq 'down' ? 'accepts' : $how );
        $receiver->stop if $how eq 'down';
        $koha->configure( receiver_url => $receiver->url );
        my $page = page_of( $koha, op => 'cud-test' );
        like( text_of( $page, '#passport_test' ), $expected{$how}, $how );
        next if $how ne 'accepts';
        my ($request) = $receiver->requests;
        is( Mojo::JSON::decode_json( $request->{body} )->{type}, 'passport.test', 'what was sent is a test' );
    }
    my $page = page_of( Passport::TestKoha->new, op => 'cud-test' );
    like( text_of( $page, '#passport_test' ), qr{Nothing [ ] was [ ] sent}xms, 'not set up' );
};

# Koha::ContentSecurityPolicy, from 26.05 on (bug 38365): scripts and styles of Koha's own, or with the nonce of the request
# A receiver that says what the cards of these partners look like, undef for one that does not say.
sub koha_with_partners {
    my ($cards) = @_;

    my $status = {
        library    => { id => 'riverside', name => 'Riverside County Library' },
        checked_at => '2026-11-25T09:00:00.000Z',
        needs      => { cards => $cards },
    };
    my $receiver = Passport::TestReceiver->start( sub { return Passport::TestReceiver::_reply( 200, $status ) } );
    my $koha     = Passport::TestKoha->new;
    $koha->configure( receiver_url => $receiver->url, card_patterns => '^mine$' );

    return ( $koha, $receiver );
}

sub partner {
    return { id => 'x', name => 'X', patterns => [@_], examples => [] };
}

subtest 'the patterns of all partners are taken over, and followed each night' => sub {
    my ( $koha, $receiver ) = koha_with_partners( [ partner( '^1$', '^2$' ), partner( '^2$', '^3$' ) ] );
    my $page = page_of( $koha, op => 'cud-cards' );
    ok( $page->at('#passport_cards[role=status]'),  'it says so' );
    ok( $page->at('#cards_followed')->{checked},    'and follows them' );
    is_deeply( $koha->{plugin}->settings->patterns, [ '^1$', '^2$', '^3$' ], 'each once' );

    ( my $joined, $receiver ) = koha_with_partners( [ map { partner("^$_\$") } 1 .. 4 ] );
    $koha->configure( receiver_url => $receiver->url, card_patterns => '^1$', cards_followed => 1 );
    $koha->{plugin}->cronjob_nightly;
    is( @{ $koha->{plugin}->settings->patterns }, 4, 'a library that has joined, without an edit here' );
    $koha->configure( receiver_url => $receiver->url, card_patterns => '^1$', cards_followed => 0 );
    $koha->{plugin}->cronjob_nightly;
    is_deeply( $koha->{plugin}->settings->patterns, ['^1$'], 'what somebody has entered stays' );
};

subtest 'what cannot be taken over hides nobody, and where nothing is said nothing is changed' => sub {
    my @cases = (
        [ [ partner('^1$'), partner() ],        0, 'a partner without patterns' ],
        [ [ partner('^1$'), partner('(?<x') ],  0, 'one that is none here' ],
        [ [ map { partner("^$_\$") } 1 .. 60 ], 0, 'too many' ],
        [ undef,                                1, 'a service that does not say' ],
    );
    foreach my $case (@cases) {
        my ( $cards, $is_kept, $what ) = @{$case};
        my ( $koha, $receiver ) = koha_with_partners($cards);
        my $page = page_of( $koha, op => 'cud-cards' );
        is( $koha->{plugin}->settings->has_patterns, $is_kept, $what );
        ok( $page->at('#passport_cards[role=alert]'), 'and it says so' ) if $is_kept;
    }
};

subtest 'nothing of the page is refused by the content security policy of a newer Koha' => sub {
    foreach
        my $page ( page_of( Passport::TestKoha->new ), page_of( Passport::TestKoha->new, op => 'cud-test' ) )
    {
        my $ours = $page->at('main');
        is( $ours->find('script, style, [style]')->size, 0, 'no script and no style' );
        unlike( "$ours", qr{ <[^>]+ \s on[a-z]+ \s* = }xms, 'no handler of an event' );
        unlike(
            "$ours",
            qr{ (?: href | action | src ) = "? javascript: }xms,
            'and no address that is a script'
        );
    }
};

subtest 'the page speaks the language of Koha, or English' => sub {
    my $koha = Passport::TestKoha->new;
    my %speaks
        = ( 'fr-FR' => 'fr', 'es-ES' => 'es', 'de-DE' => 'de', 'en' => 'en', 'nb-NO' => 'en', 'x' => 'en' );
    foreach my $koha_language ( sort keys %speaks ) {
        my $words = { map {s{\s+}{ }gxmsr} %{ $WORDS->{ $speaks{$koha_language} } } };
        my $page
            = page_in( $koha_language, $koha, op => 'cud-save', %GOOD, library => 'a b', staff_wait => 'x' );
        is( $page->at('main')->{lang}, $speaks{$koha_language}, "$koha_language: it says which" );
        is( text_of( $page, '#passport_faults' ), $words->{unsaved},       "$koha_language: the headline" );
        is( text_of( $page, '#fault_library' ),   $words->{fault_library}, "$koha_language: a fault" );
        like(
            text_of( $page, '#fault_staff_wait' ),
            qr{\b 5000 \b}xms,
            "$koha_language: a fault with its blank filled"
        );
        is( text_of( $page, 'label[for=sip]' ), $words->{sip}, "$koha_language: a label" );
        unlike(
            $page->all_text,
            qr/[{] (?: ms | most | type | answer | pattern ) [}]/xms,
            'no blank is left'
        );
    }
};

subtest 'every text is in every language, with the same blanks, and on the page' => sub {
    my %english = %{ $WORDS->{en} };
    is_deeply( [ sort keys %{$WORDS} ], [qw( de en es fr )], 'four languages, as at the desk' );
    foreach my $language ( sort keys %{$WORDS} ) {
        my $words = $WORDS->{$language};
        is_deeply( [ sort keys %{$words} ], [ sort keys %english ], "$language: the same texts" );
        my $blanks = sub { join q{ }, sort $_[0] =~ m/[{] (\w+) [}]/gxms };
        is_deeply(
            [ grep { $blanks->( $words->{$_} // q{} ) ne $blanks->( $english{$_} ) } sort keys %english ],
            [], "$language: the same blanks" );
        next if $language eq 'en';
        is_deeply( [ grep { $words->{$_} eq $english{$_} } sort keys %english ],
            $ALIKE{$language}, "$language: translated" );
    }

    my $sources = join q{}, map { Mojo::File->new("$FOLDER/$_")->slurp } qw( configure.tt page.tt Settings.pm SetupPlan.pm Configuration.pm Join.pm JoinLink.pm );
    my %used    = map { $_ => 1 }
        $sources =~ m{ (?: \b (?: words | common | say )[.] | (?: \b key [ ] => | _fault[(] | \d [ ] => | // ) [ ]? ' ) ([a-z]\w+) }gxms;
    is_deeply( [ sort keys %used ], [ sort keys %english ], 'none is missing, and none is left over' );
};

subtest 'on a Koha with short codes the page says what to configure in the service' => sub {
    like(
        page_of( Passport::TestKoha->new( code_length => 10 ) )->all_text,
        qr{copy[.]home_key_attribute:\s*PASSPORTID}xms,
        'the other attribute type'
    );
    unlike( page_of( Passport::TestKoha->new )->all_text, qr{home_key_attribute}xms,
        'and nothing otherwise' );
};

done_testing;

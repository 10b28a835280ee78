# A library asks to join by a link: what is taken of the link, what is sent, and what is kept.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use CGI;
use Digest::SHA  qw( hmac_sha256 sha256 );
use Encode       qw( encode );
use MIME::Base64 qw( decode_base64url encode_base64 encode_base64url );
use Mojo::File   qw( path );
use Mojo::JSON   qw( decode_json encode_json );
use Mojo::URL;
use POSIX ();
use Test::More;

use Koha::Patron;
use Koha::Plugin::Org::PatronPassport::Configuration ();
use Koha::Plugin::Org::PatronPassport::JoinLink    qw( parse_link );
use Koha::Plugin::Org::PatronPassport::JoinRequest qw( can_seal fingerprint pasted );
use Koha::Plugin::Org::PatronPassport::SetupPlan   qw( carry_out );
use Passport::AtOnce                               qw( at_once );
use Passport::TestKoha;
use Passport::TestReceiver;

plan skip_all => 'Crypt::OpenSSL::RSA is not on this machine' if !can_seal();

my $VECTORS = decode_json( path("$FindBin::Bin/../../../packages/contract/vectors/join.json")->slurp );
my %PAYLOAD = %{ $VECTORS->{invitation}{payload} };
my $SECRET  = $Passport::TestKoha::SECRET;
my $TOKEN   = decode_base64url( $PAYLOAD{token} );
my $HOUR    = 3600;

# Of the key pair of the vectors.
sub opened {
    my ($sealed) = @_;

    require Crypt::OpenSSL::RSA;
    my $der = encode_base64( decode_base64url( $VECTORS->{invitation}{private_key} ) );
    my $key = Crypt::OpenSSL::RSA->new_private_key(
        "-----BEGIN PRIVATE KEY-----\n$der-----END PRIVATE KEY-----\n");
    $key->use_pkcs1_oaep_padding;

    return decode_json( $key->decrypt( decode_base64url($sealed) ) );
}

sub link_of {
    my (%changed) = @_;

    my %payload = ( %PAYLOAD, ends => time + $HOUR, %changed );
    delete @payload{ grep { !defined $payload{$_} } keys %payload };
    my $at = $payload{receiver} // 'https://passport.example.org';

    return "$at/join#" . encode_base64url( encode_json( \%payload ) );
}

# A Koha in which the button was pressed.
sub ready_koha {
    my $koha = Passport::TestKoha->new;
    my $dbh  = $koha->{dbh};
    %Koha::Patron::PERMISSIONS = ( 51 => { superlibrarian => 1 } );
    $dbh->do(
        q{INSERT INTO categories (categorycode, category_type) VALUES ('S', 'S'), ('AD', 'A'), ('PASSPORT', 'A')}
    );
    $dbh->do( 'INSERT INTO circulation_rules (categorycode, rule_name, rule_value)'
            . q{ VALUES ('PASSPORT', 'maxissueqty', '7')} );
    %C4::Context::PREFERENCE = (
        RESTOAuth2ClientCredentials => 1,
        staffClientBaseURL          => 'https://staff.midland.example.org/',
    );
    Koha::Patron->new( { cardnumber => 'PASSPORT-SERVICE', userid => 'passport', categorycode => 'S' } )
        ->store;
    $Koha::Patron::PERMISSIONS{1} = { borrowers => 1, circulate => 1, catalogue => 1 };
    $dbh->do(
        q{INSERT INTO api_keys (patron_id, client_id, description) VALUES (1, 'shown', 'Patron Passport'),}
            . q{ (1, 'theirs', 'Another program'), (2, 'hers', 'Patron Passport')} );
    add_token( $koha, $_ ) foreach qw( shown theirs hers );
    $koha->{plugin}->store_data( { service_user => 1, secret => $SECRET } );

    return $koha;
}

sub page_of {
    my ( $koha, %sent ) = @_;

    return $koha->plugin_page( 'configure', \%sent );
}

sub state_of {
    my ($page) = @_;

    my $section = $page->at('#passport_join') or return 'none';

    return $section->{'data-state'};
}

sub text_of {
    my ( $page, $selector ) = @_;

    my $element = $page->at($selector) or return q{};

    return $element->all_text =~ s{\s+}{ }gxmsr;
}

sub send_it {
    my ( $koha, $link, %changed ) = @_;

    return page_of(
        $koha,
        op            => 'cud-join-send',
        join_link     => $link,
        join_koha_url => 'https://staff.midland.example.org',
        join_cards    => "^21234\\d{9}\$",
        %changed
    );
}

sub keys_of {
    my ($koha) = @_;

    return [
        map { $_->[0] } @{
            $koha->{dbh}
                ->selectall_arrayref('SELECT client_id FROM api_keys WHERE active = 1 ORDER BY client_id')
        }
    ];
}

# What Koha grants for a key, and lets in by itself for an hour.
sub add_token {
    my ( $koha, $client_id ) = @_;

    $koha->{dbh}->do(
        'INSERT INTO oauth_access_tokens (access_token, client_id, expires) VALUES (?, ?, ?)',
        undef,      "token of $client_id",
        $client_id, time + $HOUR
    );

    return;
}

sub tokens_of {
    my ($koha) = @_;

    return $koha->{dbh}->selectcol_arrayref('SELECT client_id FROM oauth_access_tokens ORDER BY client_id');
}

# The key that the newest request carries.
sub sealed_key {
    return $Koha::ApiKey::MADE[-1]{client_id};
}

# Takes the newest request back, as its own page does.
sub again {
    my ($koha) = @_;

    return page_of( $koha, op => 'cud-join-again', join_seen => sealed_key() );
}

# A receiver that answers requests to join so, and knows the library once this file has something in it.
sub receiver {
    my ( $answer, $is_known ) = @_;

    my $status = {
        library    => { id => 'midland', name => 'M' },
        checked_at => '2026-11-25T09:00:00.000Z',
        needs      => { cards => [ { id => 'x', name => 'X', patterns => ['^9$'], examples => [] } ] }
    };

    return Passport::TestReceiver->start(
        sub {
            my ($request) = @_;
            return ref $answer
                ? $answer->($request)
                : Passport::TestReceiver::_reply( $answer // 202,
                { fingerprint => '00000 00000 00000 00000' } )
                if $request->{path} eq '/join';
            return Passport::TestReceiver::_reply( 200, $status ) if $is_known && -s "$is_known";
            return Passport::TestReceiver::_reply( 401, { code => 'unauthorized', reason => 'library' } );
        }
    );
}

# The request that a page carries as a text.
sub carried {
    my ($page) = @_;

    my $text = $page->at('#passport_join_text') or return q{};
    my ($encoded) = $text->text =~ m{\A passport-join-request[.] ([A-Za-z0-9_-]+) \z}xms;

    return decode_base64url( $encoded // q{} );
}

sub save_by_hand {
    my ( $koha, %changed ) = @_;

    my %form
        = ( op => 'cud-save', library => 'midland', staff_wait => 1500, self_check_wait => 3000, staff => 1 );

    return page_of( $koha, %form, %changed );
}

sub asked {
    my ($receiver) = @_;

    return grep { $_->{path} eq '/join' } $receiver->requests;
}

subtest 'the vectors of the contract: a link, the MAC, the fingerprint and the text that is carried' => sub {
    my ( $invitation, $fault ) = parse_link( $VECTORS->{invitation}{link}, $PAYLOAD{ends} - 1 );
    is( $fault,            undef,        'the link is good' );
    is( $invitation->{$_}, $PAYLOAD{$_}, $_ ) foreach qw( receiver invitation library name consortium ends );
    is( $invitation->{token}, $TOKEN,    'the token as bytes' );

    cmp_ok( @{ $VECTORS->{requests} }, '>', 5, 'there are requests' );
    foreach my $case ( @{ $VECTORS->{requests} } ) {
        my $bytes = encode( 'UTF-8', $case->{body} );
        is( fingerprint($bytes), $case->{fingerprint},                       "$case->{name}: fingerprint" );
        is( pasted( encode( 'UTF-8', $case->{envelope} ) ), $case->{pasted}, "$case->{name}: as text" );
        my $mac  = encode_base64url( hmac_sha256( $bytes, $TOKEN ) );
        my $said = decode_json( encode( 'UTF-8', $case->{envelope} ) );
        is( $mac eq $said->{mac} ? 'accepted' : 'refused', $case->{verdict}, "$case->{name}: MAC" );
    }
};

subtest 'a link that is not good is refused by what is wrong with it, and nobody is called' => sub {
    my $receiver = receiver();
    my %bad      = (
        'nothing'         => [ q{  }, qr{Paste [ ] the [ ] join [ ] link}xms ],
        'a megabyte'      => [ 'https://passport.example.org/join#' . 'a' x 1_000_000, qr{longer}xms ],
        'a word'          => [ 'midland',                           qr{not [ ] a [ ] join [ ] link}xms ],
        'an address'      => [ 'https://passport.example.org/join', qr{not [ ] a [ ] join [ ] link}xms ],
        'half of it'      => [ substr( link_of(), 0, 300 ),         qr{not [ ] a [ ] join [ ] link}xms ],
        'a list'          => [ 'https://x.org/join#' . encode_base64url('[1]'), qr{not [ ] a [ ] join}xms ],
        'a script'        => [ 'javascript:alert(1)#abc',                       qr{not [ ] a [ ] join}xms ],
        'another version' => [ link_of( v => 2 ),                               qr{version [ ] 2}xms ],
        'ended'           => [ link_of( ends => time - 1 ),                     qr{has [ ] ended}xms ],
        'no end'          => [ link_of( ends => undef ),                        qr{\x{201C}ends\x{201D}}xms ],
        'http' => [ link_of( receiver => 'http://passport.example.org' ), qr{\x{201C}receiver\x{201D}}xms ],
        'a user before it' =>
            [ link_of( receiver => 'https://good.org@evil.org' ), qr{\x{201C}receiver\x{201D}}xms ],
        'a query'       => [ link_of( receiver => 'https://good.org/?x' ), qr{\x{201C}receiver\x{201D}}xms ],
        'letters alike' => [
            link_of( receiver => "https://p\x{430}ssport.example.org" ),
            qr{\x{201C}receiver\x{201D}|not}xms
        ],
        'a path for an id'     => [ link_of( library => '../midland' ), qr{\x{201C}library\x{201D}}xms ],
        'an object for a name' => [ link_of( name    => { a => 1 } ),   qr{\x{201C}name\x{201D}}xms ],
        'a name turned round'  => [ link_of( name => "evil\x{202E}dnaldim" ), qr{\x{201C}name\x{201D}}xms ],
        'lines in a name'      => [ link_of( consortium => "A\nB" ),    qr{\x{201C}consortium\x{201D}}xms ],
        'a long name'          => [ link_of( name       => 'x' x 101 ), qr{\x{201C}name\x{201D}}xms ],
        'no invitation'        => [ link_of( invitation => 'inv_1' ),   qr{\x{201C}invitation\x{201D}}xms ],
        'a short token'        => [ link_of( token      => 'abc' ),     qr{\x{201C}token\x{201D}}xms ],
        'no key'               => [ link_of( key        => undef ),     qr{\x{201C}key\x{201D}}xms ],
        'a key that is none'   => [ link_of( key        => 'A' x 400 ), qr{\x{201C}key\x{201D}}xms ],
        'another host shown'   => [
            link_of( receiver => $receiver->url ) =~ s{\A .*? /join}{https://passport.example.org/join}xmsr,
            qr{another [ ] address .* 127[.]0[.]0[.]1}xms
        ],
    );
    foreach my $what ( sort keys %bad ) {
        my $koha = ready_koha();
        foreach my $op (qw( cud-join cud-join-send cud-join-text )) {
            my $page = send_it( $koha, $bad{$what}[0], op => $op );
            is( state_of($page), 'open', "$what: $op goes no further" );
            like( text_of( $page, '#passport_join_fault' ), $bad{$what}[1], "$what: and says why" );
        }
        is_deeply( keys_of($koha), [qw( hers shown theirs )], "$what: no key" );
    }
    is( scalar $receiver->requests, 0, 'nobody was called' );
};

subtest 'the page shows what the link says and what would be sent, and opening it changes nothing' => sub {
    my $koha = ready_koha();
    $koha->add_patron( sprintf( '21234%09d', $_ * 7_777_777 ), "reader$_" ) foreach 1 .. 9;
    my $name = q{<script>alert(1)</script> "Midland" & Söhne [% 6 * 7 %] $1};
    my $page = page_of( $koha, op => 'cud-join', join_link => ' ' . link_of( name => $name ) . "\n" );
    is( state_of($page),                              'link',                 'a good link' );
    is( $page->at('#passport_join_host')->text,       'passport.example.org', 'the host' );
    is( $page->at('#passport_join_consortium')->text, 'Prairie Libraries',    'the consortium' );
    is( $page->at('#passport_join_library')->text,    "midland ($name)",      'the names as text' );
    is( $page->find('main script')->size,             0,                      'and they are no script' );
    like(
        text_of( $page, '#passport_join [value=cud-join-send]' ),
        qr{Send [ ] to [ ] passport[.]example[.]org}xms,
        'the button says where'
    );
    is( $page->at('#join_koha_url')->{value},
        'https://staff.midland.example.org',
        'the address of this Koha'
    );
    is( $page->at('#join_cards')->text, "^21234\\d{9}\$", 'what cards look like here' );
    unlike( "$page", qr{\Q$SECRET}xms, 'no secret' );
    is_deeply( keys_of($koha), [qw( hers shown theirs )], 'no key was made' );
    is( state_of( page_of($koha) ), 'open', 'and nothing is kept' );
};

subtest 'cards of several shapes, letters and few readers give no wrong proposal' => sub {
    my $koha = ready_koha();
    my $proposed
        = sub { return page_of( $koha, op => 'cud-join', join_link => link_of() )->at('#join_cards')->text };
    is( $proposed->(), q{}, 'too few' );
    $koha->add_patron( "AB$_", "a$_" ) foreach 1001 .. 1020;
    is( $proposed->(), q{}, 'letters' );
    $koha->add_patron( 1_000_000 + $_, "b$_" ) foreach 1 .. 20;
    is( $proposed->(), '^\d{7}$', 'short numbers have no beginning of the library\'s own' );
};

subtest 'cards of visitors are none of this library\'s own' => sub {
    my $koha = ready_koha();
    $koha->add_patron( 21_234_000_000_000 + $_, "a$_" ) foreach 1 .. 20;
    foreach my $number ( 1 .. 30 ) {
        $koha->add_patron( 35_678_000_000_000 + $number, "v$number" );
        my $patron = $koha->{dbh}->last_insert_id( undef, undef, 'borrowers', undef );
        $koha->add_attribute( $patron, 'PASSPORTED',    'midland' ) if $number <= 15;
        $koha->add_attribute( $patron, 'PASSPORTED_ID', "midland:$number" ) if $number > 10;
    }
    my $page = page_of( $koha, op => 'cud-join', join_link => link_of() );
    is( $page->at('#join_cards')->text, '^21234\d{9}$', 'they are not proposed' );
};

subtest 'the request is sealed, authenticated and sent' => sub {
    my $koha     = ready_koha();
    my $receiver = receiver();
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    my $page = send_it( $koha, link_of( receiver => $receiver->url ),
        join_cards => "^21234\\d{9}\$\r\n^B\x{FC}\$" );
    is( state_of($page), 'waiting', 'it waits' );

    my ($request) = asked($receiver);
    is( "$request->{method} $request->{headers}{'content-type'}", 'POST application/json', 'posted as JSON' );
    ok( !$request->{headers}{'webhook-signature'}, 'without a signature: the library is not known there' );
    my $posted = decode_json( $request->{body} );
    my $bytes  = encode( 'UTF-8', $posted->{body} );
    is( $posted->{mac}, encode_base64url( hmac_sha256( $bytes, $TOKEN ) ), 'the MAC' );
    my $said  = decode_json($bytes);
    my $inner = opened( delete $said->{sealed} );
    cmp_ok( abs( time - delete $said->{sent_at} ), '<', 60, 'when' );
    is_deeply(
        $said,
        {   v          => 1,
            invitation => $PAYLOAD{invitation},
            koha       => {
                url      => 'https://staff.midland.example.org',
                version  => Koha::version(),
                plugin   => $Koha::Plugin::Org::PatronPassport::VERSION,
                branches => 1,
            },
            copy => {
                category           => 'PASSPORT',
                passport_attribute => 'PASSPORTED',
                home_key_attribute => 'PASSPORTED_ID'
            },
            cards => [ '^21234\d{9}$', "^B\x{FC}\$" ],
        },
        'what the page showed'
    );
    my ($made) = grep { $_->{client_id} eq $inner->{i} } @Koha::ApiKey::MADE;
    is( $inner->{s}, $made->{secret}, 'a new key' );
    is( $inner->{w}, $koha->{plugin}->settings->{secret}, 'the webhook secret' );
    isnt( $inner->{w}, $SECRET, 'which is new, too: whoever had the one of before cannot sign with it' );
    is( $inner->{u},
        encode_base64url( sha256('https://staff.midland.example.org') ),
        'for this address alone'
    );
    is( $page->at('#passport_join_fingerprint')->text,
        fingerprint($bytes), 'the fingerprint is of what was sent, not what was answered' );
    is_deeply(
        keys_of($koha),
        [ sort $inner->{i}, qw( hers shown theirs ) ],
        'the keys of before are good as long as nobody has accepted'
    );

    my $kept = join "\n", map {
        join "\n",
            map { $_ // q{} }
            @{$_}
        }
        map { @{ $koha->{dbh}->selectall_arrayref($_) } } 'SELECT plugin_value FROM plugin_data',
        'SELECT info FROM action_logs';
    foreach my $text ( "$page", page_of($koha)->to_string, $kept, @warnings ) {
        unlike( $text, qr{\Q$inner->{s}}xms,     'the API secret is nowhere' );
        unlike( $text, qr{\Q$PAYLOAD{token}}xms, 'nor the token of the link' );
    }
    like( $kept, qr{Made [ ] an [ ] API [ ] key .* 127[.]0[.]0[.]1}xms, 'the action log says for whom' );

    my $settings = $koha->{plugin}->settings;
    is( "$settings->{receiver_url} $settings->{library}", $receiver->url . ' midland', 'the settings' );
    ok( !$settings->is_complete, 'nothing is reported yet' );
};

subtest 'a webhook secret in koha-conf.xml is the one that is sealed, and is not stored' => sub {
    my $koha = ready_koha();
    local $C4::Context::CONFIG{passport_secret} = $SECRET;
    $koha->{plugin}->store_data( { secret => q{} } );
    my $receiver = receiver();
    send_it( $koha, link_of( receiver => $receiver->url ) );
    my ($request) = asked($receiver);
    my $said = decode_json( encode( 'UTF-8', decode_json( $request->{body} )->{body} ) );
    is( opened( $said->{sealed} )->{w},             $SECRET, 'that one' );
    is( $koha->{plugin}->retrieve_data('secret'), q{},     'it is not stored' );
};

subtest 'sent once: a reload, another link and a second librarian change nothing' => sub {
    my $koha     = ready_koha();
    my $receiver = receiver();
    my $link     = link_of( receiver => $receiver->url );
    my $first    = send_it( $koha, $link )->at('#passport_join_fingerprint')->text;
    my $keys     = keys_of($koha);
    foreach my $again ( $link, link_of( receiver => $receiver->url, library => 'other' ) ) {
        foreach my $op (qw( cud-join cud-join-send cud-join-text )) {
            my $page = send_it( $koha, $again, op => $op );
            is( $page->at('#passport_join_fingerprint')->text, $first, "$op: the request that waits" );
        }
    }
    is_deeply( keys_of($koha), $keys, 'no other key' );
    is( scalar asked($receiver),              1,         'and nothing was sent again' );
    is( $koha->{plugin}->settings->{library}, 'midland', 'nor another library' );

    my $page = again($koha);
    is( state_of($page), 'open', 'taken back' );
    is_deeply( keys_of($koha), [qw( hers shown theirs )], 'its key is revoked, and no other' );
    my $other = sealed_key();
    is( send_it( $koha, $link )->at('#passport_join_fingerprint') ? 1 : 0, 1, 'and it can be sent again' );
    is( page_of($koha)->at('#passport_join_again [name=join_seen]')->{value},
        sealed_key(), 'whose page takes it back' );
    is( state_of( page_of( $koha, op => 'cud-join-again', join_seen => $other ) ),
        'waiting', 'and not one that is still open, of the request before' );
};

subtest 'of two librarians who send at the same moment the second sees the request of the first' => sub {
    my $koha     = ready_koha();
    my $receiver = receiver();
    my $link     = link_of( receiver => $receiver->url );
    my @errors   = at_once(
        2,
        sub {
            my $here = Passport::TestKoha->attach($koha);
            $here->{plugin} = $Passport::TestKoha::CLASS->new( { enable_plugins => 1 } );
            return sub {
                my $page = send_it( $here, $link );
                die state_of($page) . "\n"                          if state_of($page) ne 'waiting';
                die text_of( $page, '#passport_join_fault' ) . "\n" if $page->at('#passport_join_fault');
            };
        }
    );
    $koha->connect;
    is_deeply( \@errors, [], 'both see a request that waits' );
    is( scalar asked($receiver), 1, 'one was sent' );
    is( @{ keys_of($koha) },     4, 'with the one key that was made' );
};

subtest 'the button of another librarian, pressed a moment before, makes no other secret than was sealed' => sub {
    my $koha     = ready_koha();
    my $plugin   = $koha->{plugin};
    my $receiver = receiver();
    $plugin->store_data( { secret => q{} } );
    my @planned = Koha::Plugin::Org::PatronPassport::Configuration::_plan($plugin);
    send_it( $koha, link_of( receiver => $receiver->url ) );
    my $sealed = $plugin->settings->{secret};
    local $SIG{__WARN__} = sub { };
    my ( $done, $once ) = carry_out( \@planned, { secret => 1 }, {} );
    is_deeply( [ map { @{$_}{qw( id ok )} } @{$done} ], [ secret => 0 ], 'it says that nothing was made' );
    is_deeply( $once, {}, 'and shows none' );
    is( $plugin->settings->{secret}, $sealed, 'the secret is the one that the service has' );
};

subtest 'what the receiver does not take leaves no key and no settings' => sub {
    my %answers = (
        404 => qr{does [ ] not [ ] know [ ] this [ ] invitation}xms,
        409 => qr{Another [ ] request [ ] already [ ] waits}xms,
        429 => qr{Try [ ] again}xms,
        400 => qr{answered [ ] 400}xms,
        413 => qr{answered [ ] 413}xms,
        499 => qr{answered [ ] 499}xms,
    );
    foreach my $status ( sort keys %answers ) {
        my $koha     = ready_koha();
        my $receiver = receiver($status);
        my $page     = send_it( $koha, link_of( receiver => $receiver->url ) );
        is( state_of($page), 'link', "$status: the link is still there" );
        like( text_of( $page, '#passport_join_fault' ), $answers{$status}, "$status: why" );
        is( $page->at('#join_cards')->text, "^21234\\d{9}\$", "$status: what was entered stays" );
        is_deeply( keys_of($koha), [qw( hers shown theirs )], "$status: the keys of before" );
        is( $koha->{plugin}->settings->{receiver_url}, q{}, "$status: no settings" );
    }
};

subtest 'a receiver that takes the key and refuses the request has nothing of it' => sub {
    my $koha     = ready_koha();
    my $receiver = receiver(
        sub {
            my $dbh = Passport::TestDatabase::handle( $koha->{database} );
            $dbh->do( 'INSERT INTO oauth_access_tokens (access_token, client_id, expires)'
                    . q{ SELECT CONCAT('stolen ', client_id), client_id, 1 FROM api_keys} );
            return Passport::TestReceiver::_reply( 404, {} );
        }
    );
    send_it( $koha, link_of( receiver => $receiver->url ) );
    is_deeply( [ grep { !m{\A (?: hers | shown | theirs ) \z}xms } @{ tokens_of($koha) } ],
        [], 'what it was granted is gone with the key' );
};

subtest 'where it cannot be said whether the service has it, the same goes on as a text' => sub {
    my %answers = ( hangs_up => sub { return q{} } );
    foreach my $how ( qw( chosen unreachable hangs_up ), 200, 302, 500, 502, 503, 504 ) {
        my $koha     = ready_koha();
        my $receiver = receiver( $answers{$how} // ( $how =~ m{\A \d+ \z}xms ? $how : undef ) );
        my $link     = link_of( receiver => $receiver->url );
        $receiver->stop if $how eq 'unreachable';
        my $page = send_it( $koha, $link, op => $how eq 'chosen' ? 'cud-join-text' : 'cud-join-send' );
        is( state_of($page),                            'waiting',                "$how: it waits" );
        is( $page->at('#passport_join_unsure') ? 1 : 0, $how eq 'chosen' ? 0 : 1, "$how: it says so" );
        my $said  = decode_json( carried($page) );
        my $inner = opened( decode_json( encode( 'UTF-8', $said->{body} ) )->{sealed} );
        is_deeply( keys_of($koha), [ sort $inner->{i}, qw( hers shown theirs ) ], "$how: its key is good" );
        is( carried( page_of($koha) ), carried($page), "$how: and the next page has it too" );
        my @asked = $how =~ m{\A (?: chosen | unreachable ) \z}xms ? () : carried($page);
        is_deeply( [ map { $_->{body} } asked($receiver) ], \@asked, "$how: those bytes and no others" );
    }
};

subtest 'a web worker that dies while it sends leaves the request, and no other is made' => sub {
    my $koha     = ready_koha();
    my $worker   = File::Temp->new( UNLINK => 1 );
    my $receiver = receiver( sub { kill KILL => path("$worker")->slurp; return q{} } );
    my $link     = link_of( receiver => $receiver->url );
    my $pid      = fork // die "no fork: $!\n";
    if ( !$pid ) {
        my $here = Passport::TestKoha->attach($koha);
        $here->{plugin} = $Passport::TestKoha::CLASS->new( { enable_plugins => 1 } );
        path("$worker")->spew($$);
        send_it( $here, $link );
        POSIX::_exit(0);
    }
    waitpid $pid, 0;
    is( $? & 127, 9, 'it died' );
    $koha->connect;
    my $page = send_it( $koha, $link );
    is( state_of($page), 'waiting', 'the request waits' );
    is_deeply( [ map { $_->{body} } asked($receiver) ], [ carried($page) ], 'as it was sent, once' );
    is( @{ keys_of($koha) }, 4, 'with its key' );
};

subtest 'only a superlibrarian sends, after the button, for a user who is none' => sub {
    my $link  = link_of();
    my %cases = (
        'plugins alone' =>
            [ sub { $Koha::Patron::PERMISSIONS{51} = { plugins => 1 } }, qr{superlibrarian}xms ],
        'users and parameters' => [
            sub { $Koha::Patron::PERMISSIONS{51} = { borrowers => 1, permissions => 1, parameters => 1 } },
            qr{superlibrarian}xms
        ],
        'no user'   =>
            [ sub { $_[0]{plugin}->store_data( { service_user => q{} } ) }, qr{button [ ] above}xms ],
        'no category' => [
            sub { $_[0]{dbh}->do(q{DELETE FROM categories WHERE categorycode = 'PASSPORT'}) },
            qr{button [ ] above}xms
        ],
        'no rules' => [ sub { $_[0]{dbh}->do('DELETE FROM circulation_rules') }, qr{button [ ] above}xms ],
        'a superlibrarian' => [
            sub { $Koha::Patron::PERMISSIONS{1} = { superlibrarian => 1 } },
            qr{has [ ] the [ ] permission [ ] superlibrarian}xms
        ],
    );
    foreach my $what ( sort keys %cases ) {
        my $koha = ready_koha();
        $cases{$what}[0]->($koha);
        my $page = page_of( $koha, op => 'cud-join', join_link => $link );
        like( text_of( $page, '#passport_join_hindered' ), $cases{$what}[1], "$what: it says so" );
        ok( !$page->at('#passport_join button'), "$what: and has no button" );
        foreach my $op (qw( cud-join-send cud-join-text )) {
            is( state_of( send_it( $koha, $link, op => $op ) ), 'link', "$what: $op is not made either" );
        }
        is_deeply( keys_of($koha), [qw( hers shown theirs )], "$what: no key" );
    }
    my $koha     = ready_koha();
    my $receiver = receiver();
    send_it( $koha, link_of( receiver => $receiver->url ) );
    $Koha::Patron::PERMISSIONS{51} = { plugins => 1 };
    is( state_of( again($koha) ), 'waiting', 'nor takes it back' );
};

subtest 'the key that was taken back can be made anew, and a press for another is none' => sub {
    my $koha     = ready_koha();
    my $receiver = receiver();
    foreach my $sent ( { csrf_token => 'forged' }, {} ) {
        my $page = send_it( $koha, link_of( receiver => $receiver->url ), %{$sent} );
        is( scalar asked($receiver),
            %{$sent} ? 0                                     : 1,
            %{$sent} ? 'a form from elsewhere sends nothing' : 'ours does'
        );
        ok( $page->at('#passport_csrf'), 'and says so' ) if %{$sent};
    }
    local $ENV{REQUEST_METHOD} = 'GET';
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc';
    my $fresh = ready_koha();
    $fresh->{plugin}{cgi} = CGI->new(
        {   op            => 'cud-join-send',
            csrf_token    => 'token-of-abc',
            join_link     => link_of( receiver => $receiver->url ),
            join_koha_url => 'https://x.org'
        }
    );
    $fresh->{plugin}->configure;
    is( scalar asked($receiver), 1, 'nor does an address that is opened' );
};

subtest 'what is entered and cannot be right is marked, and nothing is sent' => sub {
    my $receiver = receiver();
    my %bad      = (
        join_koha_url => [
            q{},                                'staff.midland.example.org',
            'http://staff.midland.example.org', 'https://u:p@x.org',
            'https://x.org/?a=1'
        ],
        join_cards => [ '(', join "\n", map {"^$_\$"} 1 .. 21 ],
    );
    foreach my $field ( sort keys %bad ) {
        foreach my $value ( @{ $bad{$field} } ) {
            my $page = send_it( ready_koha(), link_of( receiver => $receiver->url ), $field => $value );
            ok( $page->at("#fault_$field"), "$field is marked" );
            is( $page->at("#$field")->{'aria-describedby'}, "fault_$field", 'and described by its fault' );
        }
    }
    is( scalar asked($receiver), 0, 'nothing was sent' );
};

subtest 'it waits until the service knows the library, and then it is connected' => sub {
    my $is_known = File::Temp->new( UNLINK => 1 );
    my $receiver = receiver( undef, $is_known );
    foreach my $where (qw( configure tool check night )) {
        truncate $is_known, 0;
        my $koha = ready_koha();
        my %look = (
            configure => sub { page_of($koha) },
            tool      => sub { $koha->{plugin}{cgi} = CGI->new( {} ); $koha->{plugin}->tool },
            check     => sub {
                require Koha::Plugin::Org::PatronPassport::About;
                Koha::Plugin::Org::PatronPassport::About::about_settings( $koha->{plugin}, 'x' x 22 );
            },
            night => sub { $koha->{plugin}->cronjob_nightly },
        );
        my $page   = send_it( $koha, link_of( receiver => $receiver->url ) );
        my $sealed = sealed_key();
        is( $page->at('[data-check=settings]')->{'data-level'},
            'unchecked', "$where: the list says that it waits" );
        local $ENV{HTTP_COOKIE} = 'CGISESSID=abc';
        $look{$where}->();
        ok( !$koha->{plugin}->settings->is_complete, "$where: not known yet" );
        is_deeply(
            keys_of($koha),
            [ sort $sealed, qw( hers shown theirs ) ],
            "$where: and the keys of before are good"
        );
        path("$is_known")->spew('yes');
        $look{$where}->();
        ok( $koha->{plugin}->settings->is_complete, "$where: connected" );
        is_deeply( $koha->{plugin}->settings->patterns, ['^9$'], "$where: with the cards of its partners" );
        ok( $koha->{plugin}->settings->{cards_followed}, "$where: from now on" );
        is_deeply(
            keys_of($koha),
            [ sort $sealed, qw( hers shown theirs ) ],
            "$where: what the service may work with is good until it uses the new key"
        );
        add_token( $koha, $sealed );
        $look{$where}->() foreach 1 .. 2;
        is_deeply(
            logged( $koha, '%revoked those of before%' ),
            [         '127.0.0.1:'
                    . Mojo::URL->new( $receiver->url )->port
                    . ' uses the API key that it was sent; revoked those of before: shown'
            ],
            "$where: the action log says which keys are revoked, once"
        );
        my @kept = sort $sealed, qw( hers theirs );
        is_deeply( keys_of($koha),   \@kept, "$where: what was shown is revoked, and nobody else's" );
        is_deeply( tokens_of($koha), \@kept, "$where: with what was granted for it" );
        my $after = page_of($koha);
        is( state_of($after), 'connected', "$where: the page says so" );
        like(
            text_of( $after, '#passport_join' ),
            qr{Prairie [ ] Libraries [ ] as [ ] midland}xms,
            "$where: with whom"
        );
        is( state_of( send_it( $koha, link_of( library => 'other' ) ) ),
            'connected', "$where: and no link changes that" );
    }
};

# What ends a request: each with the question that is asked before, where it has to be, and what answers it.
my %ENDS = (
    'taken back' => {
        press  => sub { return again( $_[0] ) },
        asks   => '#passport_join_asks',
        answer => sub { return page_of( $_[0], op => 'cud-join-end', join_client => $_[2] ) },
    },
    'another address' => saves( receiver_url => 'https://other.example.org' ),
    'another id'      => saves( library      => 'other' ),
    'another secret'  =>
        saves( secret => 'whsec_' . encode_base64( 'another secret of 32 bytes, here', q{} ) ),
    'no secret' => saves( forget_secret => 1 ),
);

sub saves {
    my %changed = @_;
    my $save    = sub {
        my ( $koha, $url, %more ) = @_;
        return save_by_hand( $koha, receiver_url => $url, service_user => 2, %changed, %more );
    };

    return {
        press  => $save,
        asks   => '#passport_question',
        answer => sub { return $save->( @_[ 0, 1 ], join_client => $_[2] ) },
        keep   => sub { return $save->( @_[ 0, 1 ], join_keep => $_[2] ) },
        says   => \%changed,
    };
}

sub logged {
    my ( $koha, $like ) = @_;

    return $koha->{dbh}
        ->selectcol_arrayref( 'SELECT info FROM action_logs WHERE object = 1 AND info LIKE ?', undef, $like );
}

# After it: the key that was sent opens nothing, those of before do.
sub ok_ended {
    my ( $koha, $how, $ended ) = @_;

    is_deeply( keys_of($koha),   [qw( hers shown theirs )], "$how: that key alone is revoked" );
    is_deeply( tokens_of($koha), [qw( hers shown theirs )], "$how: with what was granted for it" );
    my $settings = $koha->{plugin}->settings;
    is( $settings->{join_waiting}, 0, "$how: nothing waits" );
    my %says       = %{ ( $ended && $ended->{says} ) || {} };
    my $is_by_hand = $says{receiver_url} || $says{library};
    is( state_of( page_of($koha) ), $is_by_hand ? 'none' : 'open', "$how: a link can be pasted" );
    is( $settings->{$_}, $says{$_}, "$how: $_ is saved" ) foreach grep {m{receiver|library}xms} keys %says;
    is( $settings->{secret}, $says{secret} // q{}, "$how: the secret that was sealed is forgotten" );

    return;
}

subtest
    'a request that nobody has used ends at once, with the key that was sent, whoever is the user of the service by then'
    => sub {
    foreach my $how ( sort keys %ENDS ) {
        my $koha     = ready_koha();
        my $receiver = receiver();
        send_it( $koha, link_of( receiver => $receiver->url ) );
        $ENDS{$how}{press}->( $koha, $receiver->url );
        ok_ended( $koha, $how, $ENDS{$how} );
        is( scalar @{ logged( $koha, 'Took the request%' ) }, 1, "$how: the action log says whose key" );
    }
    };

subtest 'a key that may be in use is revoked by a second press, whatever the service says' => sub {
    my %may_be = (
        'its host says that it knows us' => sub { path( $_[1] )->spew('yes') },
        'its key was used'               => sub { add_token( $_[0], sealed_key() ) },
    );
    foreach my $why ( sort keys %may_be ) {
        foreach my $name ( sort keys %ENDS ) {
            my $how      = "$name, $why";
            my $end      = $ENDS{$name};
            my $is_known = File::Temp->new( UNLINK => 1 );
            my $receiver = receiver( undef, $is_known );
            my $koha     = ready_koha();
            my $url      = $receiver->url;
            send_it( $koha, link_of( receiver => $url ) );
            my $sealed = sealed_key();
            my @good   = sort $sealed, qw( hers shown theirs );
            my $before = $koha->{plugin}->settings;
            $may_be{$why}->( $koha, "$is_known" );

            my $page = $end->{press}->( $koha, $url );
            like( text_of( $page, $end->{asks} ), qr{127[.]0[.]0[.]1}xms, "$how: the question" );
            is( $page->at('#library')->{value}, $end->{says}{library} // 'midland', "$how: the entry stays" );
            ok( $page->at("[name=join_client][value=$sealed]"), "$how: with a button for this key" );
            $end->{answer}->( $koha, $url, 'shown' );
            $Koha::Patron::PERMISSIONS{51} = { plugins => 1 };
            $page = $end->{answer}->( $koha, $url, $sealed );
            ok( !$page->at('[name=join_client]'), "$how: none without the permission" );
            $Koha::Patron::PERMISSIONS{51} = { superlibrarian => 1 };
            is_deeply( keys_of($koha), \@good, "$how: nothing else is an answer" );
            is( $koha->{plugin}->settings->{$_}, $before->{$_}, "$how: $_ is not saved" )
                foreach qw( receiver_url library secret );

            $end->{answer}->( $koha, $url, $sealed );
            ok_ended( $koha, $how, $end );
            is( scalar @{ logged( $koha, 'Revoked the API key that was sealed%' ) }, 1, "$how: logged" );
        }
    }
};

subtest 'a request that another web worker sees accepted at this moment is not taken back without the question' => sub {
    foreach my $how ( sort keys %ENDS ) {
        my $koha     = ready_koha();
        my $receiver = receiver();
        send_it( $koha, link_of( receiver => $receiver->url ) );
        my $settings = $koha->{plugin}->settings;
        no warnings qw( redefine );
        local *Koha::Plugin::Org::PatronPassport::JoinRecord::was_used = sub {
            $koha->{plugin}->store_data( { join_waiting => 0 } );
            return 0;
        };
        my $page = $ENDS{$how}{press}->( $koha, $receiver->url );
        ok( $page->at( $ENDS{$how}{asks} ), "$how: the question" );
        is( $koha->{plugin}->settings->{$_}, $settings->{$_}, "$how: $_ stays" )
            foreach qw( receiver_url library secret );
    }
};

# As Koha does it, which has no page for that.
sub removed {
    my ($koha) = @_;

    delete $koha->{plugin}{cgi};

    return $koha->{plugin}->uninstall;
}

subtest 'a connected library is disconnected by two presses, or moved with its key' => sub {
    my $is_known = File::Temp->new( UNLINK => 1 );
    path("$is_known")->spew('yes');
    my $receiver  = receiver( undef, $is_known );
    my $connected = sub {
        my $koha = ready_koha();
        send_it( $koha, link_of( receiver => $receiver->url ) );
        is( state_of( page_of($koha) ), 'connected', 'connected' );
        return ( $koha, sealed_key() );
    };
    my ( $koha, $sealed ) = $connected->();
    my @good = sort $sealed, qw( hers shown theirs );
    $Koha::Patron::PERMISSIONS{51} = { plugins => 1 };
    ok( !page_of($koha)->at('#passport_join button'), 'no button without permission' );
    $Koha::Patron::PERMISSIONS{51} = { superlibrarian => 1 };
    ok( page_of($koha)->at('#passport_join [value=cud-join-again]'),         'a button to disconnect' );
    ok( again($koha)->at('#passport_join_asks'), 'that asks' );
    page_of( $koha, op => 'cud-join-end', join_client => $sealed, csrf_token => 'forged' );
    is_deeply( keys_of($koha), \@good, 'a form from elsewhere is no answer' );
    page_of( $koha, op => 'cud-join-end', join_client => $sealed );
    ok_ended( $koha, 'disconnected' );

    foreach my $name ( 'another address', 'another id', 'another secret' ) {
        my ( $moved, $key ) = $connected->();
        my $page = $ENDS{$name}{press}->( $moved, $receiver->url );
        is( $page->at( $ENDS{$name}{asks} ) ? 1 : 0,
            $name eq 'another secret'       ? 0 : 1,
            "$name: whether it asks"
        );
        $ENDS{$name}{keep}->( $moved, $receiver->url, $key );
        is_deeply( keys_of($moved), [ sort $key, qw( hers shown theirs ) ], "$name: the key is kept" );
        my $settings = $moved->{plugin}->settings;
        my %says     = %{ $ENDS{$name}{says} };
        is( $settings->{$_}, $says{$_}, "$name: and it is saved" ) foreach keys %says;
        next if $name ne 'another address';
        removed($moved);
        is_deeply( keys_of($moved),   ['theirs'], 'a removal revokes it, and those of both users of the service' );
        is_deeply( tokens_of($moved), ['theirs'], 'with what was granted for them' );
        is( scalar @{ logged( $moved, 'Removed%127.0.0.1%' ) }, 1, 'and the action log has a line of it' );
        is( scalar @{ logged( $moved, 'Removed%had made: shown' ) }, 1, 'and one of what the button had shown' );
    }
};

subtest 'a removal revokes the key of a request that waits, and needs none' => sub {
    my $koha     = ready_koha();
    my $receiver = receiver();
    send_it( $koha, link_of( receiver => $receiver->url ) );
    removed($koha);
    is_deeply( keys_of($koha), [qw( hers theirs )], 'revoked, with what the button had shown' );

    $koha = ready_koha();
    ok( removed($koha), 'a plugin without a request is removed' );
    is_deeply( keys_of($koha),   [qw( hers theirs )], 'and the key that the button had shown is revoked' );
    is_deeply( tokens_of($koha), [qw( hers theirs )], 'with what was granted for it' );
    is( scalar @{ logged( $koha, 'Removed%had made: shown' ) }, 1, 'and the action log has a line of it' );

    $koha = Passport::TestKoha->new;
    ok( removed($koha), 'a plugin that nobody has set up is removed, too' );
};

subtest 'a plugin that was set up by hand is asked nothing, and one that waits can be' => sub {
    is( state_of( page_of( Passport::TestKoha->new->configure ) ), 'none', 'by hand' );
    my $koha     = ready_koha();
    my $receiver = receiver();
    send_it( $koha, link_of( receiver => $receiver->url ) );
    save_by_hand( $koha, receiver_url => $receiver->url );
    is( state_of( page_of($koha) ), 'waiting', 'the same address leaves it' );
    save_by_hand( $koha, receiver_url => 'https://other.example.org' );
    is( state_of( page_of($koha) ),                'none', 'another one ends it' );
    is( $koha->{plugin}->settings->{join_waiting}, 0,      'and it waits for nobody' );
    save_by_hand( $koha, receiver_url => $receiver->url );
    is( state_of( page_of($koha) ), 'none', 'nor is the former one an acceptance' );
};

done_testing;

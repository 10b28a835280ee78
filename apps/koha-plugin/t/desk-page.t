use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Mojo::DOM;
use Mojo::JSON qw( decode_json encode_json );
use Test::More;

use Passport::TestKoha;

my $MEMBER = '/intranet/members/member.pl';

sub script_on {
    my ( $koha, $script, $query, $args ) = @_;

    local $ENV{SCRIPT_NAME}  = $script;
    local $ENV{QUERY_STRING} = $query;
    delete local $ENV{SCRIPT_NAME}  if !defined $script;
    delete local $ENV{QUERY_STRING} if !defined $query;

    return $koha->{plugin}->intranet_js($args);
}

sub head_on {
    my ( $koha, $script, $query ) = @_;

    local $ENV{SCRIPT_NAME}  = $script;
    local $ENV{QUERY_STRING} = $query;

    return $koha->{plugin}->intranet_head;
}

subtest 'the script is on the page for an unknown card and in the checkout' => sub {
    my $koha = Passport::TestKoha->new->configure;
    ok( script_on( $koha, $MEMBER, 'quicksearch=1&circsearch=1&searchmember=21234000000017' ), 'there' );
    ok( script_on( $koha, '/cgi-bin/koha/members/member.pl', 'circsearch=1&searchmember=1' ),
        'without Plack too' );
    ok( script_on( $koha, '/intranet/circ/circulation.pl', 'borrowernumber=1' ), 'in the checkout' );
    ok( script_on( $koha, undef, undef ), 'where nobody knows the page, the script decides' );
    ok( script_on( $koha, undef, 'circsearch=1', { page => '/cgi-bin/koha/members/member.pl' } ),
        'as 26.05 passes it' );

    foreach my $query ( 'op=add_form&categorycode=AD', 'categorycode=AD;op=add' ) {
        my $html = script_on( $koha, '/intranet/members/memberentry.pl', $query );
        like( $html, qr{desk[.]js}xms, "there on the form for a new patron ($query)" );
        unlike( $html, qr{passport-desk}xms, 'without the facts for the panel' );
    }

    foreach my $page (
        [ '/intranet/circ/returns.pl',        'circsearch=1' ],
        [ '/intranet/members/memberentry.pl', 'op=edit_form&borrowernumber=1' ],
        [ '/intranet/members/memberentry.pl', 'op=added' ],
        [ '/intranet/members/memberentry.pl', 'circsearch=1' ],
        [ '/intranet/mainpage.pl',            q{} ],
        [ $MEMBER,                            q{} ],
        [ $MEMBER,                            'searchmember=Smith' ],
        [ $MEMBER,                            'xcircsearch=1' ],
        [ '/intranet/members/member.pl.x',    'circsearch=1' ],
        )
    {
        is( script_on( $koha, @{$page} ), q{}, "not on $page->[0]?$page->[1]" );
    }
    is( script_on( $koha, $MEMBER, 'circsearch=1', { page => '/cgi-bin/koha/mainpage.pl' } ),
        q{}, 'nor where 26.05 says so' );
};

subtest 'another staff page costs no query' => sub {
    my $koha = Passport::TestKoha->new->configure;
    is_deeply( [ $koha->statements_of( sub { $_->( $koha, '/intranet/mainpage.pl', q{} ) } ) ], [], 'none' )
        foreach \&script_on, \&head_on;
};

subtest 'what holds the first keys is in the head of the pages that take scans, and on no other' => sub {
    my $koha = Passport::TestKoha->new->configure;
    foreach my $page ( [ $MEMBER, 'circsearch=1&searchmember=1' ], [ '/intranet/circ/circulation.pl', q{} ] ) {
        my $head = head_on( $koha, @{$page} );
        my $dom  = Mojo::DOM->new($head);
        is( $dom->find('script')->size, 1, "one script, on $page->[0]" );
        my ( $tag, @more ) = $head =~ m{ ( <script[^>]*> | </script ) }gxms;
        is_deeply( [ $tag, @more ], [ '<script>', '</script' ], 'which nothing in it ends' );
        like( $dom->at('script')->text, qr{'keydown'}xms, 'that listens at once' );
        unlike( $head, qr{ whsec_ | 21234 }xms, 'with nothing of the settings' );
    }
    foreach my $page (
        [ $MEMBER,                            'searchmember=Smith' ],
        [ '/intranet/members/memberentry.pl', 'op=add_form&categorycode=AD' ],
        [ '/intranet/mainpage.pl',            q{} ],
        )
    {
        is( head_on( $koha, @{$page} ), q{}, "not on $page->[0]?$page->[1]" );
    }
    is( head_on( Passport::TestKoha->new, $MEMBER, 'circsearch=1' ), q{}, 'nor where it is not set up' );
    is( head_on( Passport::TestKoha->new->configure( staff => 0 ), $MEMBER, 'circsearch=1' ),
        q{}, 'nor where the desk is switched off' );
};

subtest 'it has the nonce of a newer Koha, whose policy refuses what has none' => sub {
    my $koha = Passport::TestKoha->new->configure;
    my $tag_with = sub {
        my ($nonce) = @_;

        no warnings 'once';
        local *Koha::ContentSecurityPolicy::new       = sub { return bless {}, shift };
        local *Koha::ContentSecurityPolicy::get_nonce = sub { return $nonce };
        return head_on( $koha, $MEMBER, 'circsearch=1' ) =~ m{ ( <script[^>]*> ) }xms ? $1 : undef;
    };
    is( $tag_with->('aB3_aB3_aB'), '<script nonce="aB3_aB3_aB">', 'as that says' );
    is( $tag_with->(undef),        '<script>',                    'none where there is none' );
    is( $tag_with->('">'),         '<script>',                    'and nothing that is none' );
};

subtest 'it is not there where the plugin is not set up or the desk is switched off' => sub {
    is( script_on( Passport::TestKoha->new, $MEMBER, 'circsearch=1' ), q{}, 'not set up' );
    is( script_on( Passport::TestKoha->new->configure( staff => 0 ), $MEMBER, 'circsearch=1' ),
        q{}, 'switched off' );
};

subtest 'Koha asks under the same address who it is: what is typed there is not ours, and nothing is told' => sub {
    my $koha = Passport::TestKoha->new->configure;
    foreach my $nobody ( undef, {} ) {
        local $C4::Context::USERENV = $nobody;
        is( $_->( $koha, '/intranet/circ/circulation.pl', q{} ), q{}, 'nothing' ) foreach \&script_on, \&head_on;
    }
};

subtest 'the script gets what it needs, and no secret' => sub {
    my $koha = Passport::TestKoha->new->configure( card_patterns => "^21234\\d{9}\$\n^</script><b>" );
    my $html = script_on( $koha, $MEMBER, 'circsearch=1' );
    unlike( $html, qr{whsec_}xms, 'no secret' );

    my $dom = Mojo::DOM->new($html);
    unlike( $dom->at('script#passport-desk')->text, qr{<}xms, 'nothing in it can end the element' );
    my $facts = decode_json(
        Mojo::Util::encode( 'UTF-8', $dom->at('script#passport-desk[type="application/json"]')->text ) );
    is( $facts->{library}, 'riverside', 'the library' );
    is_deeply( $facts->{patterns},                    [ '^21234\d{9}$', '^</script><b>' ], 'the patterns' );
    is( $facts->{anyCard} ? 1 : 0, 0, 'and that they are somebody\'s' );
    is( $facts->{staff}, C4::Context->userenv->{number}, 'and who is logged in, by number' );
    is_deeply( [ keys %{ $facts->{messages} } ],      ['en'],                              'the words' );
    is( $dom->at('script[src]')->{src}, '/api/v1/contrib/passport/desk.js?v=1.0.0', 'the script' );
};

subtest 'where a page of another site has opened this one, the script is told so' => sub {
    my $koha   = Passport::TestKoha->new->configure;
    my $facts = sub {
        local $ENV{HTTP_SEC_FETCH_SITE} = shift;
        my $html = script_on( $koha, $MEMBER, 'circsearch=1' );
        return decode_json( Mojo::Util::encode( 'UTF-8', Mojo::DOM->new($html)->at('#passport-desk')->text ) );
    };
    ok( $facts->($_)->{isFromElsewhere},  $_ )         foreach qw( cross-site same-site );
    ok( !$facts->($_)->{isFromElsewhere}, $_ // 'old' ) foreach qw( same-origin none ), undef;
};

subtest 'the texts are those of one language, the page\'s or English' => sub {
    my $koha = Passport::TestKoha->new->configure;
    my %is   = ( 'fr-FR' => 'fr', 'de-DE' => 'de', es => 'es', 'nb-NO' => 'en' );
    foreach my $language ( sort keys %is ) {
        local $ENV{HTTP_COOKIE} = "CGISESSID=abc; KohaOpacLanguage=$language";
        my $html  = script_on( $koha, $MEMBER, 'circsearch=1' );
        my $facts = decode_json( Mojo::Util::encode( 'UTF-8', Mojo::DOM->new($html)->at('#passport-desk')->text ) );
        is_deeply( [ keys %{ $facts->{messages} } ], [ $is{$language} ], $language );
        cmp_ok( length $html, '<', 18_000, 'and little' );
    }
};

subtest 'every language has every word, and the same blanks to fill' => sub {
    my $messages = decode_json(
        Mojo::File->new("$FindBin::Bin/../Koha/Plugin/Org/PatronPassport/desk/messages.json")->slurp );
    my %english = %{ $messages->{en} };
    foreach my $language ( sort keys %{$messages} ) {
        is_deeply(
            [ sort keys %{ $messages->{$language} } ],
            [ sort keys %english ],
            "$language: the same words"
        );
        foreach my $word ( sort keys %english ) {
            my ( $ours, $theirs ) = map { join q{ }, sort m{[{] (\w+) [}]}gxms } $english{$word},
                $messages->{$language}{$word} // q{};
            is( $theirs, $ours, "$language: $word" ) if $ours ne $theirs;
        }
    }
};

subtest 'a fault of our own leaves the page as it is' => sub {
    my $koha = Passport::TestKoha->new->configure;
    $koha->{dbh}->do('DROP TABLE plugin_data');
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    is( script_on( $koha, $MEMBER, 'circsearch=1' ), q{}, 'nothing is added' );
    is( head_on( $koha, $MEMBER, 'circsearch=1' ),   q{}, 'nor to its head' );
    is( scalar @warnings,                            2,   'and it is written down' );
};

done_testing;

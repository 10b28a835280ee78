use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use CGI;
use Mojo::DOM;
use Mojo::JSON qw( decode_json );
use Test::More;

use Koha::Patron;
use Koha::Plugin::Org::PatronPassport::Signature qw( headers_for key_of );
use Passport::TestKoha;
use Passport::TestReceiver;

my $PAGE  = '/intranet/members/moremember.pl';
my %KNOWN = (
    patron_id => 1,
    copies    => [
        {   library        => { id => 'riverside', name => 'Riverside <County>' },
            since          => '2026-11-01T10:00:00.000Z',
            last_passed_on => '2026-11-20T10:00:00.000Z',
            fields         => [qw( email surname )],
            owed           => { overdues => 2, amount => 350, read_at => '2026-11-24T03:30:00.000Z' },
        },
        {   library        => { id => 'lakeside', name => 'Lakeside' },
            since          => undef,
            last_passed_on => undef,
            fields         => ['surname'],
            owed           => undef
        },
    ],
);

# A home library's Koha with patron 1, and somebody (51) who may use the tools.
sub koha_at {
    my ($answer) = @_;

    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start(
        ref $answer ? sub { return Passport::TestReceiver::_reply( 200, $answer ) } : $answer );
    $koha->configure( receiver_url => $receiver->url, library => 'midland' );
    $koha->add_patron( '21234000000017', 'okafor' );
    $koha->{dbh}->do(q{INSERT INTO borrowers (borrowernumber, userid) VALUES (51, 'clerk')});
    %Koha::Patron::PERMISSIONS = ( 51 => { plugins => 1, borrowers => 1 } );
    $koha->{receiver} = $receiver;

    return ( $koha, $receiver );
}

sub page_of {
    my ( $koha, $patron, $language ) = @_;

    local $ENV{REQUEST_METHOD} = 'GET';
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc; KohaOpacLanguage=' . ( $language // 'en' );
    $koha->{plugin}{cgi} = CGI->new( { patron => $patron } );
    $koha->{plugin}->tool;

    return Mojo::DOM->new( $koha->{plugin}{shown} );
}

sub link_on {
    my ( $koha, $page, $query ) = @_;

    local $ENV{SCRIPT_NAME}  = $page;
    local $ENV{QUERY_STRING} = $query;

    return $koha->{plugin}->intranet_js;
}

subtest 'the page of a patron has a link, for whoever may follow it, and no other page has' => sub {
    my ($koha) = koha_at('hangs');
    my $dom = Mojo::DOM->new( link_on( $koha, $PAGE, 'borrowernumber=1' ) );
    like(
        $dom->at('a#passport-elsewhere')->{href},
        qr{run[.]pl[?]class=.*&method=tool&patron=1\z}xms,
        'a link'
    );
    is( $dom->at('a')->text,         'Copies at partner libraries', 'its words' );
    is( link_on( $koha, $PAGE, $_ ), q{},                           "none with $_" )
        foreach q{}, 'borrowernumber=', 'borrowernumber=x', 'borrowernumber=1x', 'borrowernumber=%22%3E';
    is( link_on( $koha, '/intranet/members/readingrec.pl', 'borrowernumber=1' ), q{}, 'nor elsewhere' );
    foreach my $granted ( {}, { plugins => 1 }, { borrowers => 1 } ) {
        local $Koha::Patron::PERMISSIONS{51} = $granted;
        is( link_on( $koha, $PAGE, 'borrowernumber=1' ), q{}, "nor with @{[ sort keys %{$granted} ]}" );
    }
    my ($other) = koha_at('hangs');
    $other->{dbh}->do(q{DELETE FROM plugin_data WHERE plugin_key = 'secret'});
    is( link_on( $other, $PAGE, 'borrowernumber=1' ), q{}, 'nor where the plugin is not set up' );
};

subtest 'it leads to where the patron has copies, which fields went there, and what is owed' => sub {
    my ( $koha, $receiver ) = koha_at( \%KNOWN );
    my $page = page_of( $koha, 1 );
    my @rows
        = $page->find('#passport_copies tbody tr')->map( sub { [ $_->find('th, td')->map('text')->each ] } )
        ->each;
    is_deeply(
        \@rows,
        [   [   'Riverside <County>',
                '2026-11-01', 'email, surname',
                '2026-11-20', '2 overdue, 3.50 (as of 2026-11-24)'
            ],
            [ 'Lakeside', 'not known', 'surname', 'not known', q{} ],
        ]
    );
    my ($seen) = $receiver->requests;
    is( $seen->{path}, '/webhooks/midland/service/elsewhere', 'one look' );
    my $sent = decode_json( $seen->{body} );
    is( $sent->{type}, 'patron.elsewhere_requested', 'of its own type' );
    is_deeply( $sent->{data}, { patron_id => 1 }, 'with the number and nothing else of the patron' );
    my $h = $seen->{headers};
    is( $h->{'webhook-signature'},
        headers_for(
            key_of($Passport::TestKoha::SECRET), $h->{'webhook-id'},
            $h->{'webhook-timestamp'},           $seen->{body}
        )->{'webhook-signature'},
        'signed'
    );
};

subtest 'days are those of the library, and written as Koha writes them' => sub {
    local $C4::Context::PREFERENCE{dateformat};
    my %copy = ( %{ $KNOWN{copies}[0] }, since => '2026-11-01T23:30:00.000Z', last_passed_on => '2026-11-20T10:30:00Z' );
    my ($koha) = koha_at( { patron_id => 1, copies => [ \%copy ] } );
    $C4::Context::PREFERENCE{dateformat} = 'dmydot';
    my %days = ( 'Europe/Berlin' => '02.11.2026 20.11.2026', 'America/Los_Angeles' => '01.11.2026 20.11.2026' );
    foreach my $zone ( sort keys %days ) {
        local $ENV{TZ} = $zone;
        my @cells = page_of( $koha, 1 )->find('#passport_copies tbody td')->map('text')->each;
        is( "@cells[ 0, 2 ]", $days{$zone}, $zone );
    }
    local $ENV{TZ} = 'America/Los_Angeles';
    like( page_of( $koha, 1 )->at('#passport_copies')->all_text, qr{as [ ] of [ ] 23[.]11[.]2026}xms, 'of a debt, too' );
};

subtest 'a debt without anything overdue is shown, and the reverse' => sub {
    my @owed = ( [ 0, 1250 ], [ 3, 0 ], [ 0, 0 ] );
    my @copies
        = map { +{ %{ $KNOWN{copies}[0] }, owed => { overdues => $_->[0], amount => $_->[1] } } } @owed;
    my ($koha) = koha_at( { patron_id => 1, copies => \@copies } );
    is_deeply(
        [ page_of( $koha, 1 )->find('#passport_copies tbody td:last-child')->map('text')->each ],
        [ map {"$_ (as of not known)"} '0 overdue, 12.50', '3 overdue, 0.00', '0 overdue, 0.00' ]
    );
};

subtest 'who may not see the patron learns nothing, and nobody is asked' => sub {
    my ( $koha, $receiver ) = koha_at( \%KNOWN );
    foreach my $number ( 'x', q{}, '0', '999', '1;2' ) {
        ok( page_of( $koha, $number )->at('#passport_hidden'), "no such patron: '$number'" );
    }
    foreach my $granted ( {}, { plugins => 1 }, { borrowers => 1 } ) {
        local $Koha::Patron::PERMISSIONS{51} = $granted;
        ok( page_of( $koha, 1 )->at('#passport_hidden'), "with @{[ sort keys %{$granted} ]}" );
    }
    {
        local $Koha::Patron::SEES_ALL = 0;
        ok( page_of( $koha, 1 )->at('#passport_hidden'),
            'a patron of another branch, where those are hidden'
        );
    }
    local $C4::Context::USERENV = undef;
    ok( page_of( $koha, 1 )->at('#passport_hidden'), 'nobody' );
    is( scalar( () = $receiver->requests ), 0, 'nothing was sent' );
};

subtest 'what cannot be relied on, or does not come, is no answer' => sub {
    my @broken
        = ( { %KNOWN, patron_id => 2 }, { %KNOWN, copies => 'none' }, 'status_404', 'status_503', 'html' );
    foreach my $answer (@broken) {
        my ($koha) = koha_at($answer);
        ok( page_of( $koha, 1 )->at('#passport_failed'), 'no answer' );
    }
    my ($koha) = koha_at( { patron_id => 1, copies => [] } );
    ok( page_of( $koha, 1 )->at('#passport_copies_none'), 'no copies' );
    is( page_of( $koha, 1, 'de-DE' )->at('h2')->text,
        'Kopien bei Partnerbibliotheken',
        'in the language of the page'
    );
};

done_testing;

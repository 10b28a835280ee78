use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Mojo::File qw( path );
use Mojo::JSON qw( decode_json encode_json );
use Test::Mojo;
use Test::More;

use Koha::Patron;
use Passport::TestApi;
use Passport::TestDeletions qw( add_columns );
use Passport::TestKoha;
use Passport::TestReceiver;

# requests.json: requests and their answers, which the stand-in for Koha (packages/koha-double) must give alike. Its
# test of that file is packages/koha-double/test/plugin-requests.test.ts, which says what the keys mean.
my $BASE  = '/api/v1/contrib/passport';
my @CASES = map { each_case($_) } @{ decode_json( path("$FindBin::Bin/requests.json")->slurp ) };

my %CONFIGURED = ( nothing => { secret => q{} }, 'no desk' => { staff => 0 } );
my %AS = ( "another's key" => 'Bearer user-51', "another's password" => 'Basic user-51' );

local $SIG{__WARN__} = sub { };
local $Koha::Patron::PERMISSIONS{51} = { borrowers => 1, circulate => 1 };

sub each_case {
    my ($case) = @_;

    my ( $first, @others ) = map { each_step($_) } @{ $case->{steps} };
    return { %{$case}, steps => [ $first, @others ] } if !$case->{each};

    my @cases;
    foreach my $each ( @{ $case->{each} } ) {
        my %differs  = %{$each};
        my $name     = delete $differs{name};
        my $receiver = delete $differs{receiver} // $case->{receiver};
        my @steps    = ( { %{$first}, %differs }, @others );
        push @cases, { %{$case}, name => "$case->{name} $name", receiver => $receiver, steps => \@steps };
    }

    return @cases;
}

sub each_step {
    my ($step) = @_;

    return map { +{ %{$step}, %{$_} } } @{ $step->{each} // [ {} ] };
}

sub answering {
    my ($said) = @_;

    return 'accepts' if !defined $said;
    return 'hangs'   if !ref $said;
    my %headers = ( %{ $said->{headers} // {} }, 'Content-Type' => 'application/json', Connection => 'close' );
    my $body    = encode_json( $said->{body} );

    return sub {
        return join "\r\n", "HTTP/1.1 $said->{status} Something", ( map {"$_: $headers{$_}"} sort keys %headers ),
            'Content-Length: ' . length $body, q{}, $body;
    };
}

# The service's user is number 1 at a stand-in; patrons follow.
sub add_patrons {
    my ( $koha, @patrons ) = @_;

    my $number = 1;
    foreach my $patron (@patrons) {
        $number++;
        $koha->{dbh}->do( 'INSERT INTO borrowers (borrowernumber, cardnumber, userid, protected) VALUES (?, ?, ?, ?)',
            undef, $number, ( $patron->{cardnumber} ) x 2, $patron->{protected} ? 1 : 0 );
        $koha->add_attribute( $number, 'PASSPORTED_ID', $patron->{home_key} ) if $patron->{home_key};
        $koha->{dbh}->do( 'INSERT INTO accountlines (borrowernumber, amountoutstanding) VALUES (?, ?)',
            undef, $number, $patron->{owes} )
            if $patron->{owes};
        next if !$patron->{is_copy};
        my %row = ( version => 0, home_key => 'midland:8', fields => {} );
        $row{home_key} = $patron->{home_key} if $number > 2;
        $koha->{plugin}->copies->keep( $number, \%row );
    }

    return;
}

# Where an answer is not as expected: it may have more keys, but not in lists.
sub misses {
    my ( $got, $expected, $where ) = @_;

    if ( ref $expected eq 'HASH' ) {
        return "$where is no object" if ref $got ne 'HASH';
        return map { exists $got->{$_} ? misses( $got->{$_}, $expected->{$_}, "$where/$_" ) : "$where/$_ is missing" }
            sort keys %{$expected};
    }
    if ( ref $expected eq 'ARRAY' ) {
        return "$where has not its length" if ref $got ne 'ARRAY' || @{$got} != @{$expected};
        return map { misses( $got->[$_], $expected->[$_], "$where/$_" ) } 0 .. $#{$expected};
    }
    my ( $is, $should ) = map { encode_json( [$_] ) } $got, $expected;

    return $is eq $should ? () : "$where: $is, not $should";
}

foreach my $case (@CASES) {
    subtest $case->{name} => sub {
        my $koha     = Passport::TestKoha->new;
        my $receiver = Passport::TestReceiver->start( answering( $case->{receiver} ) );
        add_columns( $koha->{dbh} );
        $koha->configure( receiver_url => $receiver->url, %{ $CONFIGURED{ $case->{configured} // q{} } // {} } );
        my $t = Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) );
        add_patrons( $koha, @{ $case->{patrons} // [] } );
        $koha->{dbh}->do( 'INSERT INTO items (barcode) VALUES (?)', undef, $_ ) foreach @{ $case->{items} // [] };

        foreach my $step ( @{ $case->{steps} } ) {
            my $sent = sub { return ( $receiver->requests )[-1]{headers}{'webhook-id'} };
            my ( $method, $url ) = split m{[ ]}xms, $step->{request} =~ s{[\$]sent}{$sent->()}xmser;
            my %headers = $step->{as} ? ( Authorization => $AS{ $step->{as} } ) : ();
            my @body    = exists $step->{body} ? encode_json( $step->{body} ) : ();
            $headers{'Content-Type'} = $step->{type} // 'application/json' if @body;
            my $tx = $t->ua->build_tx( $method => "$BASE$url", \%headers, @body );
            $t->tx( $t->ua->start($tx) )->status_is( $step->{status}, $step->{request} );

            my $answer = $step->{answer};
            $answer->{event_id} = $sent->() if $answer && ( $answer->{event_id} // q{} ) eq '$sent';
            is_deeply( [ misses( $t->tx->res->json, $answer, q{} ) ], [], 'its answer' ) if $answer;
            $t->json_hasnt("/$_") foreach @{ $step->{lacks} // [] };
            $t->header_is( $_ => $step->{headers}{$_} ) foreach keys %{ $step->{headers} // {} };
        }
        is_deeply( [ map {"$_->{method} $_->{path}"} $receiver->requests ], $case->{sent}, 'what was sent' )
            if $case->{sent};
    };
}

done_testing;

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Mojo::File qw( path );
use Mojo::JSON qw( decode_json encode_json );
use Test::More;

use Koha::Patron;
use Passport::TestReceiver;
use Passport::TestRequests;

# requests.json: requests and their answers, which the stand-in for Koha (packages/koha-double) must give alike. Its
# test of that file is packages/koha-double/test/plugin-requests.test.ts, which says what the keys mean.
my @CASES = map { each_case($_) } @{ decode_json( path("$FindBin::Bin/requests.json")->slurp ) };

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
        my $receiver = Passport::TestReceiver->start( answering( $case->{receiver} ) );
        my $requests = Passport::TestRequests->new( $case, $receiver->url );
        my $t        = $requests->{t};

        foreach my $step ( @{ $case->{steps} } ) {
            my $sent = sub { return ( $receiver->requests )[-1]{headers}{'webhook-id'} };
            my $named = $step->{request} =~ s{[\$]sent}{$sent->()}xmser;
            $t->tx( $requests->send( { %{$step}, request => $named } ) )->status_is( $step->{status}, $step->{request} );

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

#!/usr/bin/perl

# What the plugin's routes answer to random sequences of requests, for the stand-in's comparison with it
# (packages/koha-double/test/plugin-sequences.slow.test.ts): reads a list of cases as those of t/requests.json, and prints of each step
# the status and the body.

use Modern::Perl;

use FindBin;
use lib "$FindBin::RealBin/../lib", "$FindBin::RealBin/../koha/lib", "$FindBin::RealBin/../..";

use Mojo::JSON qw( decode_json encode_json );

use Koha::Patron;
use Passport::TestRequests;

local $SIG{__WARN__} = sub { };
local $Koha::Patron::PERMISSIONS{51} = { borrowers => 1, circulate => 1 };

my $cases = decode_json( join q{}, <STDIN> );
my @answers;
foreach my $case ( @{$cases} ) {
    my $requests = Passport::TestRequests->new( $case, 'http://127.0.0.1:9' );
    push @answers, [
        map {
            my $res = $requests->send($_)->res;
            { status => $res->code, body => $res->json }
        } @{ $case->{steps} }
    ];
}
say encode_json( \@answers );

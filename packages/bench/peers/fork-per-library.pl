#!/usr/bin/perl
# The shape of the reference plugin: a process forked per library, one blocking request each, waiting for all. Reads card
# numbers, one a line, and prints for each how many milliseconds it took and how many libraries have answered.
use strict;
use warnings;

use HTTP::Request;
use JSON::PP    qw(decode_json encode_json);
use LWP::UserAgent;
use Time::HiRes qw(time);
use URI::Escape qw(uri_escape);

my $libraries = decode_json( $ARGV[0] );
$| = 1;

while ( my $card = <STDIN> ) {
    chomp $card;
    my $started_at = time;
    my @answers    = map { query( $_, $card ) } @{$libraries};
    my $answered   = 0;
    for my $answer (@answers) {
        my $status = readline $answer;
        close $answer;
        $answered++ if defined $status && $status == 200;
    }
    1 while wait != -1;
    printf "%.3f %d\n", 1000 * ( time - $started_at ), $answered;
}

sub query {
    my ( $library, $card ) = @_;
    my $query = uri_escape( encode_json( { cardnumber => $card } ) );
    my $url   = "$library->{url}/api/v1/patrons?_order_by=%2Bme.patron_id&_per_page=100&q=$query";
    pipe my $reader, my $writer or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid) {
        close $writer;
        return $reader;
    }
    my $request = HTTP::Request->new(
        GET => $url,
        [ Authorization => $library->{authorization}, 'x-koha-embed' => 'extended_attributes' ]
    );
    my $response = LWP::UserAgent->new->request($request);
    print {$writer} $response->code . "\n";
    close $writer;
    require POSIX;
    POSIX::_exit(0);
}

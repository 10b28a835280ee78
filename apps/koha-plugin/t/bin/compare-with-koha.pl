#!/usr/bin/perl

# Holds what the plugin believes about Koha (koha.md) against a checkout of Koha: compare-with-koha.pl CHECKOUT. Prints what is not there, and
# ends with 1 where something is missing.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Mojo::File          qw( path );
use Passport::KohaTable qw( differences koha_table );

my $checkout = shift // die "compare-with-koha.pl CHECKOUT\n";
my @rows     = koha_table( path("$FindBin::Bin/../..")->child('koha.md') );
my @missing  = differences( $checkout, @rows );
say foreach @missing;
say scalar @rows, ' rows compared with ', $checkout, ', ', scalar @missing, ' differences';
exit( @missing ? 1 : 0 );

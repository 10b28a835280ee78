use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/..";

use Mojo::File qw( path );
use Test::More;

use Koha::Plugin::Org::PatronPassport::DeskScript qw( script );

my $FOLDER = path("$FindBin::Bin/../Koha/Plugin/Org/PatronPassport");

my $script   = script($FOLDER);
my @files    = map { $_->basename } path( $FOLDER, 'desk' )->list->grep(qr{[.]js \z}xms)->each;
my @included = $script =~ m{^//[ ]([\w-]+[.]js)$}gxms;

is_deeply( [ sort @included ], [ sort @files ], 'every file of the desk is in it, once' );
is( scalar @included, scalar @files, 'and named for it: a leftover of an older version would not be' );
is( $included[-1],    'main.js',     'what begins comes last, when all else is there' );
unlike( $script, qr{^ (?: import | export ) \b}xms, 'nothing is left to import: it is one script' );
like(
    $script,
    qr/\A [(]function [ ] [(][)] [ ] [{] \n 'use [ ] strict'; \n [{] \n/xms,
    'all of it is inside'
);
like( $script, qr/\n [}] \n [}] [)][(][)]; \n \z/xms, 'to its end' );

subtest 'no two files name something alike' => sub {
    my %names;
    $names{$_}++ foreach $script =~ m{^ (?: async [ ] )? (?: function | const | let | class ) [ ] (\w+)}gxms;
    is_deeply( [ grep { $names{$_} > 1 } sort keys %names ], [], 'in the block that they share' );
};

done_testing;

# Every module at Perl::Critic's level 4.

use Modern::Perl;

use Mojo::File qw( path );
use Test::More;

plan skip_all => 'Perl::Critic is not on this machine' if !eval { require Perl::Critic; 1 };

my $home   = path(__FILE__)->to_abs->dirname->dirname;
my $critic = Perl::Critic->new( -profile => $home->child('.perlcriticrc')->to_string );

foreach my $file ( $home->child('package.pl'), $home->child('Koha')->list_tree->grep(qr{[.]pm \z}xms)->each )
{
    is_deeply( [ map {"$_"} $critic->critique( $file->to_string ) ], [], $file->to_rel($home) . ' is clean' );
}

done_testing;

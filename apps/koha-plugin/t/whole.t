use Modern::Perl;

use FindBin;

use Mojo::File qw( path );
use Mojo::JSON qw( decode_json );
use Test::More;

# What is only loaded is not tested: these hold that Koha's ways into the plugin, its hooks and its routes, are taken by tests.
my $PLUGIN = path("$FindBin::Bin/../Koha/Plugin/Org");
my @TESTS  = map { $_->slurp } path($FindBin::Bin)->list_tree->grep(qr{[.](?:t|pm)\z}xms)
    ->grep( sub { $_->basename ne 'whole.t' } )->each;

sub has_test {
    my @words = @_;

TEST: foreach my $test (@TESTS) {
        foreach my $word (@words) {
            next TEST if $test !~ m{\b\Q$word\E}xms;
        }
        return 1;
    }

    return 0;
}

subtest 'T-34 each hook that Koha calls is called by a test' => sub {
    my @hooks = $PLUGIN->child('PatronPassport.pm')->slurp =~ m{^sub[ ]([a-z]\w+)}gxms;
    cmp_ok( scalar @hooks, '>', 10, 'hooks were found' );
    is_deeply( [ grep { !has_test($_) } @hooks ], [], 'none is left out' );
};

subtest 'T-34 each route is requested by a test' => sub {
    my $routes = decode_json( $PLUGIN->child('PatronPassport/openapi.json')->slurp )->{paths};
    my @called = map {
        my $path = $_;
        map { [ $_, split m{/}xms, $path =~ s{\A/}{}xmsr ] } keys %{ $routes->{$path} }
    } keys %{$routes};
    cmp_ok( scalar @called, '>', 10, 'routes were found' );
    is_deeply( [ map {"$_->[0] $_->[1]"} grep { !has_test( "$_->[0]_ok", $_->[1] ) } @called ], [], 'none is left out' );
};

done_testing;

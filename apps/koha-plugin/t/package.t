use Modern::Perl;

use FindBin;

use File::Path qw( make_path );
use File::Temp ();
use Mojo::File qw( path );
use Mojo::JSON qw( decode_json );
use Test::More;

use lib "$FindBin::Bin/lib";
use Passport::Kpz ();

my $ROOT  = path("$FindBin::Bin/..")->realpath;
my $CLASS = 'Koha::Plugin::Org::PatronPassport';

# What Koha itself brings, and Perl.
my $BROUGHT = qr{\A (?:
    Modern::Perl | CGI | Class::Inspector | C4::\w+ | Koha | Koha::\w+ (?: ::\w+ )* | Mojo(?:::\w+)+ | base | constant
    | Crypt::OpenSSL::RSA | Digest::SHA | Encode | Exporter | List::Util | MIME::Base64 | POSIX | Time::HiRes
) \z}xms;

sub packed {
    my $folder = File::Temp->newdir;
    chomp( my $kpz = qx{$^X $ROOT/package.pl $folder} );

    return ( $kpz, path($kpz)->slurp, $folder );
}

my ( $kpz, $bytes, $folder ) = packed();
my $entries = Passport::Kpz::entries_of($kpz);
my $content = { map { $_ => $entries->{$_}{content} } keys %{$entries} };

# A candidate is packed as the version that it is one of.
my $VERSION = decode_json( path("$ROOT/../../package.json")->slurp )->{version} =~ s{-.*}{}xmsr;
like( $kpz, qr{/patron-passport-\Q$VERSION\E[.]kpz \z}xms,
    'the name ends as Koha wants it, and has the version of everything' );
is_deeply( [ grep { !m{\A Koha/Plugin/Org/PatronPassport (?: [.]pm | /.+ ) \z}xms } sort keys %{$content} ],
    [], 'everything lies in the class and the folder of its name' );
ok( $content->{"Koha/Plugin/Org/PatronPassport$_"}, "it has $_" )
    foreach
    qw( .pm /Controller.pm /openapi.json /configure.tt /tool.tt /tool.json /desk/main.js /desk/messages.json /LICENSE );
is_deeply( [ grep {m{[.]t \z | /t/ | README | [.]md | ~ \z | /[.]}xms} keys %{$content} ],
    [], 'and nothing of the workshop' );
unlike(
    join( q{}, values %{$content} ),
    qr{\Q$FindBin::Bin\E | whsec_[A-Za-z0-9]}xms,
    'no path of this machine, no secret'
);

subtest 'Koha can load what was unpacked, and finds what it needs' => sub {
    my $plugins = File::Temp->newdir;
    foreach my $name ( keys %{$content} ) {
        make_path( path( $plugins, $name )->dirname );
        path( $plugins, $name )->spew( $content->{$name} );
    }
    my $program = <<'PERL';
use Passport::TestKoha;
use Koha::Plugin::Org::PatronPassport::Controller;
use Koha::Plugin::Org::PatronPassport::DeskScript;
my $plugin = Passport::TestKoha->new->{plugin};
my @hooks = grep { $plugin->can($_) } qw( patron_barcode_transform intranet_head intranet_js configure tool api_namespace api_routes
    install upgrade uninstall cronjob_nightly );
print Mojo::JSON::encode_json( { %{ $plugin->get_metadata }, hooks => \@hooks, routes => scalar keys %{ $plugin->api_routes },
    script => Koha::Plugin::Org::PatronPassport::DeskScript::script( $plugin->bundle_path ),
    from => $INC{'Koha/Plugin/Org/PatronPassport.pm'} } );
PERL
    open my $perl, '-|', $^X, "-I$FindBin::Bin/lib", "-I$plugins", '-e', $program or die "no perl: $!\n";
    my $facts = decode_json( do { local $/ = undef; <$perl> } );
    ok( close $perl, 'it loads' );
    like( $facts->{from}, qr{\A \Q$plugins\E}xms, 'from there' );
    ok( $facts->{$_}, "metadata: $_" )
        foreach qw( name author version minimum_version date_updated description class namespace );
    is( $facts->{class}, $CLASS, 'its class' );
    like( $facts->{version}, qr{\A [0-9]+ [.] [0-9]+ [.] [0-9]+ \z}xms, 'a version that Koha can compare' );
    is( scalar @{ $facts->{hooks} }, 11, 'all its hooks' );
    is( $facts->{routes},            19, 'all its routes' );
    is_deeply(
        [ sort $facts->{script} =~ m{^//[ ]([\w-]+[.]js)$}gxms ],
        [   map { $_->basename }
                path("$ROOT/Koha/Plugin/Org/PatronPassport/desk")->list->grep(qr{[.]js \z}xms)->each
        ],
        'all files of its script'
    );
};

subtest 'it needs no module that Koha does not bring' => sub {
    foreach my $name ( grep {m{[.]pm \z}xms} sort keys %{$content} ) {
        my @used = $content->{$name} =~ m{^ (?: use | require ) \s+ ([A-Z]\w+ (?: ::\w+ )*)}gxms;
        is_deeply( [ grep { $_ !~ $BROUGHT } @used ], [], $name );
    }
};

subtest 'the time of the files is that of the release: no page of another one is taken from a cache' => sub {
    my $times_of = sub {
        my ($package) = @_;
        my %times = map { $_->{time} => 1 } values %{ Passport::Kpz::entries_of($package) };
        return join q{ }, keys %times;
    };
    my $tree = File::Temp->newdir;
    make_path("$tree/apps/koha-plugin");
    path( $tree, 'LICENSE' )->spew('GPL');
    path( $tree, 'apps/koha-plugin/package.pl' )->spew( path("$ROOT/package.pl")->slurp );

    my %seen = ( $times_of->($kpz) => 'this release' );
    foreach my $release (qw( 29.1.1 29.2.0 28.0.0 29.10.59 )) {
        my $class
            = $content->{'Koha/Plugin/Org/PatronPassport.pm'} =~ s{(VERSION \s = \s ')[\d.]+}{$1$release}xmsr;
        make_path("$tree/apps/koha-plugin/Koha/Plugin/Org");
        path( $tree, 'apps/koha-plugin/Koha/Plugin/Org/PatronPassport.pm' )->spew($class);
        my $packed = Passport::Kpz::pack_in( "$tree/dist", "$tree/apps/koha-plugin/package.pl" );
        my $time   = $times_of->($packed);
        like( $time, qr{\A \d+ \z}xms, "$release: one time" );
        ok( !$seen{$time}++, "$release: another, also on the same day" );
    }
};

subtest 'the same tree gives the same bytes' => sub {
    local $ENV{TZ} = 'Pacific/Auckland';
    utime time, time, "$ROOT/Koha/Plugin/Org/PatronPassport.pm";
    my ( undef, $again, $kept ) = packed();
    ok( $again eq $bytes, 'again, elsewhere' );
};

subtest 'the set-up notes the version that it is of' => sub {
    is( $Koha::Plugin::Org::PatronPassport::Setup::VERSION,
        $Koha::Plugin::Org::PatronPassport::VERSION, 'that of the plugin' );
};

done_testing;

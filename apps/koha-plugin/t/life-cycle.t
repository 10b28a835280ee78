# Upload, upgrade to the version after this one and removal, as Koha does them.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use File::Temp ();
use Mojo::DOM;
use Mojo::File qw( path );
use Mojo::JSON qw( decode_json );
use Test::More;

use Passport::Kpz qw( pack_in pack_next unzip_over );
use Passport::TestKoha;

my $CLASS = 'Koha::Plugin::Org::PatronPassport';
my $TABLE = 'koha_plugin_org_patronpassport_scans';
my $HOME  = path("$FindBin::Bin/..")->realpath;

my $packed   = File::Temp->newdir;
my %KPZ      = ( now => pack_in( $packed, "$HOME/package.pl" ), next => pack_next( $packed, $HOME ) );
my $plugins  = File::Temp->newdir;
my $cache    = File::Temp->newdir;
my $koha     = Passport::TestKoha->new_without_plugin;

# What a web worker that was started after the upload finds.
sub worker {
    my ($what) = @_;

    local $ENV{PASSPORT_TEMPLATE_CACHE} = "$cache";
    open my $perl, '-|', $^X, "$FindBin::Bin/bin/web-worker.pl", "$plugins", "$koha->{folder}",
        $koha->{database} // q{-}, $what
        or die "no perl: $!\n";
    my $said = do { local $/ = undef; <$perl> };
    close $perl or die "the worker died\n";

    return decode_json($said);
}

sub column {
    my ($sql) = @_;

    return $koha->{dbh}->selectcol_arrayref($sql);
}

my ( $old_version, $version ) = map {m{-([0-9.]+)[.]kpz \z}xms} @KPZ{qw( now next )};

subtest 'this version is uploaded and used' => sub {
    unzip_over( $KPZ{now}, $plugins );
    my $found = worker('use');
    is_deeply( $found->{plugins},  [$CLASS], 'one of its modules is a plugin' );
    is_deeply( $found->{warnings}, [],       'without a word' );
    is( $found->{installed}, $old_version, 'installed' );
};

subtest 'the next one is unzipped over it: the upgrade keeps what was configured and stored' => sub {
    unzip_over( $KPZ{next}, $plugins );
    path( $plugins, 'Koha/Plugin/Org/PatronPassport/desk', $_ )->spew('const cardOfPage = "left";')
        foreach qw( aa-left-over.js zz-left-over.js );
    path( $plugins, 'Koha/Plugin/Org/PatronPassport', 'LeftOver.pm' )
        ->spew("package ${CLASS}::LeftOver;\nuse Modern::Perl;\n1;\n");

    my $found = worker('look');
    is_deeply( $found->{plugins},  [$CLASS], 'one plugin' );
    is_deeply( $found->{warnings}, [],       'without a word' );
    is( $found->{installed}, $version, 'the new one' );

    my $page = Mojo::DOM->new( $found->{page} );
    is( $page->at('h1')->text =~ s{.*\s}{}xmsr, $version, 'its configuration page' );
    is( $page->at('#receiver_url')->{value},
        'http://receiver:8080',
        'is the new template, not the cached one of before, and shows what was saved' );
    ok( !$page->at('#passport_test'), 'with no word of a test that nobody sent' );

    unlike( $found->{script}, qr{left-over | "left"}xms, 'files of before are not in the script' );
    is( scalar( () = $found->{script} =~ m{cardOfPage\(url\)}gxms ), 1, 'those of now are' );
    is( $found->{scan}{homes}[0]{name}, "Biblioth\x{e8}que", 'a state that was stored before can be read' )
        if Passport::TestDatabase::is_mariadb();
    is( $found->{scan}{state}, 'done', 'and is final' ) if Passport::TestDatabase::is_mariadb();
};

subtest 'the same upload again changes nothing' => sub {
    unzip_over( $KPZ{next}, $plugins );
    my $found = worker('look');
    is( $found->{installed}, $version, 'still there' );
    is_deeply( $found->{warnings}, [], 'without a word' );
};

subtest 'removal takes the table, the settings and the files, and nothing of a patron' => sub {
    $koha->add_attribute( 1, 'PASSPORTED',    'midland' );
    $koha->add_attribute( 1, 'PASSPORTED_ID', 'midland:7' );
    is_deeply( worker('remove')->{warnings}, [], 'without a word' );
    ok( !eval { local $koha->{dbh}{PrintError} = 0; column("SELECT 1 FROM $TABLE"); 1 },
        'the table is gone' );
    is_deeply( column('SELECT plugin_key FROM plugin_data'),       [], 'so are the settings' );
    is_deeply( column('SELECT plugin_method FROM plugin_methods'), [], 'and the methods' );
    is_deeply( [ path($plugins)->list_tree->each ],                [], 'and the files, leftovers too' );
    is_deeply(
        column('SELECT code FROM borrower_attribute_types ORDER BY code'),
        [qw( PASSPORTED PASSPORTED_ID )],
        'the types are there'
    );
    is_deeply( column('SELECT attribute FROM borrower_attributes ORDER BY attribute'),
        [qw( midland midland:7 )], 'and what they say of patrons' );
};

subtest 'it can be installed again' => sub {
    unzip_over( $KPZ{next}, $plugins );
    my $found = worker('look');
    is( $found->{installed}, $version, 'installed' );
    is_deeply( $found->{warnings},                    [], 'without a word' );
    is_deeply( column("SELECT event_id FROM $TABLE"), [], 'with an empty table' );
};

done_testing;

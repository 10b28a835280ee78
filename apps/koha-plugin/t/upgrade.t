# The upgrade to the version after this one on a real MariaDB, with what this one had stored, by several web workers at
# once; and the way back.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use File::Temp ();
use IPC::Open2 qw( open2 );
use Mojo::DOM;
use Mojo::File qw( path );
use Mojo::JSON qw( decode_json encode_json );
use Test::More;

use Passport::Kpz qw( pack_in pack_next unzip_over );
use Passport::TestKoha;
use Passport::TestMariaDb;

my $missing = Passport::TestMariaDb::missing();
plan skip_all => "MariaDB: $missing" if $missing;

my $SERVER = Passport::TestMariaDb->start;
local $ENV{PASSPORT_TEST_MARIADB} = $SERVER->socket;

my $CLASS  = 'Koha::Plugin::Org::PatronPassport';
my @TABLES = map {"koha_plugin_org_patronpassport_$_"} qw( copies scans );

my $packed   = File::Temp->newdir;
my $HOME     = path("$FindBin::Bin/..")->realpath;
my $before   = pack_in( $packed, "$HOME/package.pl" );
my $now      = pack_next( $packed, $HOME );
my ( $version, $old_version ) = map {m{-([0-9.]+)[.]kpz \z}xms} "$now", "$before";
my $plugins = File::Temp->newdir;
my $cache   = File::Temp->newdir;
my $koha    = Passport::TestKoha->new_without_plugin;

# Web workers that start at the same moment; what each of them found.
sub workers {
    my ( $what, $count, %other ) = @_;

    local $ENV{PASSPORT_TEMPLATE_CACHE} = "$cache";
    my $of    = $other{koha} // $koha;
    my @pipes = map {
        open my $pipe, '-|', $^X, "$FindBin::Bin/bin/web-worker.pl", $other{plugins} // "$plugins",
            "$of->{folder}", $of->{database}, $what, $other{kpz} // ()
            or die "no perl: $!\n";
        $pipe;
    } 1 .. $count;

    return map {
        my $said = do { local $/ = undef; readline $_ };
        close $_ or die "a worker died";
        decode_json($said);
    } @pipes;
}

sub rows {
    my ( $sql, @values ) = @_;

    return $koha->connect->selectall_arrayref( $sql, { Slice => {} }, @values );
}

my $SETTINGS
    = q{SELECT plugin_key, plugin_value FROM plugin_data WHERE plugin_key NOT LIKE '\_\_%' ORDER BY 1};

# Columns, keys and character sets, as the server has them.
sub schema_of {
    my ($dbh) = @_;

    return { map { $_ => ( $dbh->selectrow_array("SHOW CREATE TABLE $_") )[1] } @TABLES };
}

my ( $stored, $settings );

subtest 'the release before is in use: a scan has ended, another one waits for its page' => sub {
    unzip_over( $before, $plugins );
    my ($found) = workers( 'use', 1 );
    is( $found->{installed}, $old_version, 'installed' );
    workers( 'note', 1 );

    # for longer than a page would wait: this machine may be slow
    $koha->connect->do("UPDATE $TABLES[1] SET scan_until = scan_until + 3600 WHERE scan_key > ''");
    $stored   = rows("SELECT * FROM $TABLES[1] ORDER BY event_id");
    $settings = rows($SETTINGS);
    is_deeply( [ map { $_->{event_id} } @{$stored} ], [qw( scan_old scan_waiting )], 'both are stored' );
    ok( @{$settings} >= 4, 'so are the settings' );
};

subtest 'four web workers find the upload at the same moment: all of them have it, and nothing is lost' =>
    sub {
    unzip_over( $now, $plugins );
    my @found = workers( 'start', 4 );
    is_deeply( [ map { $_->{installed} } @found ],           [ ($version) x 4 ], 'the new one' );
    is_deeply( [ map { @{ $_->{warnings} } } @found ],       [],                 'without a word' );
    is_deeply( [ map { scalar @{ $_->{plugins} } } @found ], [ (1) x 4 ],        'one plugin each' );

    my %kept = map { $_->{event_id} => $_ } @{ rows("SELECT * FROM $TABLES[1]") };
    foreach my $row ( @{$stored} ) {
        my $is = delete $kept{ $row->{event_id} };
        is_deeply( { map { $_ => $is->{$_} } keys %{$row} }, $row, "$row->{event_id}: each column" );
    }
    is_deeply( \%kept,          {},        'and no other event' );
    is_deeply( rows($SETTINGS), $settings, 'each setting' );
    };

# A new installation, to compare with.
my $new   = Passport::TestKoha->new_without_plugin;
my $fresh = File::Temp->newdir;
unzip_over( $now, $fresh );
workers( 'look', 1, koha => $new, plugins => "$fresh" );
my $methods = $new->connect->selectcol_arrayref('SELECT plugin_method FROM plugin_methods ORDER BY 1');
$koha->connect;

subtest 'the tables are those of a new installation' => sub {
    is_deeply( schema_of( $koha->connect ), schema_of( $new->connect ), 'in each column and key' );
};

# Koha registers the methods of the class that the worker of the upload has loaded; "Run tool" and background jobs go by them.
foreach my $how (qw( upload reload )) {
    subtest "$how in a worker that has the release before: after the restart, everything new is there" =>
        sub {
        my $upgraded = Passport::TestKoha->new_without_plugin;
        my $folder   = File::Temp->newdir;
        my @at       = ( koha => $upgraded, plugins => "$folder" );
        unzip_over( $before, $folder );
        workers( 'use', 1, @at );
        my ($uploaded) = workers( $how, 1, @at, kpz => $now );
        note( join q{}, @{ $uploaded->{warnings} } );

        # the log of the worker that had the older release is not that of the others
        my @found = workers( 'start', 4, @at );
        is_deeply( [ map { @{ $_->{warnings} } } @found ], [], 'four workers at once, without a word' );
        my $dbh = $upgraded->connect;
        is_deeply(
            $dbh->selectcol_arrayref(
                'SELECT plugin_method FROM plugin_methods WHERE plugin_class = ? ORDER BY 1',
                undef, $CLASS
            ),
            $methods,
            'the methods are those of a new installation'
        );
        is_deeply( schema_of($dbh), schema_of( $new->connect ), 'so are the tables' );

        my ($run) = workers( 'run', 1, @at );
        is( $run->{tools}, 1, 'Koha offers "Run tool"' );
        like( $run->{tool_page} // q{}, qr{passport_checks}xms, 'which shows the page' );
        is_deeply( $run->{jobs}, ['finished'], 'and background jobs are done' );
        $koha->connect;
        };
}

subtest 'an upgrade that a worker with older modules took for done is done by the next process' => sub {
    my $half   = Passport::TestKoha->new_without_plugin;
    my $folder = File::Temp->newdir;
    my @at     = ( koha => $half, plugins => "$folder" );
    unzip_over( $before, $folder );
    workers( 'use', 1, @at );
    unzip_over( $now, $folder );
    $half->connect->do( q{UPDATE plugin_data SET plugin_value = ? WHERE plugin_key = '__INSTALLED_VERSION__'},
        undef, $version );

    my @found = workers( 'start', 4, @at );
    is_deeply( [ map { @{ $_->{warnings} } } @found ], [],                         'without a word' );
    is_deeply( schema_of( $half->connect ),            schema_of( $new->connect ), 'the tables' );
    is_deeply( $half->{dbh}->selectcol_arrayref('SELECT plugin_method FROM plugin_methods ORDER BY 1'),
        $methods, 'and the methods' );
    $koha->connect;
};

subtest 'a page of after the upgrade is given the event of before' => sub {
    my ($found) = workers( 'resume', 1 );
    is( $found->{resumed},             'scan_waiting', 'the event' );
    is( $found->{scan_waiting}{state}, 'queued',       'and its state' );
};

subtest 'the release before, unzipped over this one: it works with the tables of this one' => sub {
    $koha->connect->do(
        "INSERT INTO $TABLES[0] (patron_id, version, home_key, written) VALUES (1, 1, 'midland:7', '{}')");
    unzip_over( $before, $plugins );
    my ($found) = workers( 'look', 1 );
    my $page = Mojo::DOM->new( $found->{page} );
    is( $page->at('#receiver_url')->{value}, 'http://receiver:8080', 'it reads the settings' );
    like( $page->at('h1')->text, qr{\Q$old_version\E \s* \z}xms, 'its own configuration page' );

    # Koha's log names what is left of the newer release and does not load with the older one; it is of no use
    my @others = grep { !m{Koha/Plugin/Org/PatronPassport/}xms } @{ $found->{warnings} };
    is_deeply( \@others, [], 'what is left of this one is all that does not load' );

    $koha->connect->do("DELETE FROM $TABLES[1] WHERE event_id = 'scan_back'");
    ($found) = workers( 'resume', 1 );
    is( $found->{scan_waiting}{state}, 'queued', 'it reads an event that was upgraded' );
    is( $found->{scan_back}{state},    'done',   'and stores one' );
};

subtest 'this one again: what both of them stored is there' => sub {
    unzip_over( $now, $plugins );
    my @found = workers( 'start', 4 );
    is_deeply( [ map { @{ $_->{warnings} } } @found ], [], 'without a word' );
    is_deeply(
        [ map { $_->{event_id} } @{ rows("SELECT event_id FROM $TABLES[1] ORDER BY 1") } ],
        [qw( scan_back scan_old scan_waiting )],
        'the events'
    );
    is_deeply(
        rows("SELECT home_key FROM $TABLES[0]"),
        [ { home_key => 'midland:7' } ],
        'what was written into copies'
    );
    is_deeply( rows($SETTINGS), $settings, 'the settings' );
};

# A web worker reads the routes of plugins when it starts, and keeps the classes that it has loaded.
subtest
    'what one worker disables or removes, four others stop at once, and none of them installs a ghost of it'
    => sub {
    my @workers = map {
        my $pid = open2( my $said, my $ask, $^X, "$FindBin::Bin/bin/web-worker.pl",
            "$plugins", "$koha->{folder}", $koha->{database}, 'serve' );
        { pid => $pid, said => $said, ask => $ask };
    } 1 .. 4;
    is_deeply( [ map { scalar readline $_->{said} } @workers ], [ ("ready\n") x 4 ], 'four have it loaded' );
    my $answers = sub {
        foreach my $worker (@workers) { print { $worker->{ask} } "\n"; $worker->{ask}->flush }
        return map { values %{ decode_json( scalar readline $_->{said} ) } } @workers;
    };

    is_deeply( [ grep { $_ == 404 } $answers->() ], [], 'they serve it' );
    workers( 'disable', 1 );
    is_deeply( [ $answers->() ], [ (404) x 12 ], 'disabled: no route answers' );
    workers( 'enable', 1 );
    is_deeply( [ grep { $_ == 404 } $answers->() ], [], 'enabled: they serve it again' );
    workers( 'remove', 1 );
    is_deeply( [ $answers->() ], [ (404) x 12 ], 'removed: no route answers' );

    my $tables = Passport::TestDatabase::tables( $koha->connect );
    is_deeply( [ grep {m{patronpassport}xms} @{$tables} ], [], 'no table is there' );
    is_deeply( rows('SELECT plugin_key FROM plugin_data'), [], 'Koha knows nothing of it' );
    is_deeply( [ path($plugins)->list_tree->each ],        [], 'and there are no files' );
    foreach my $worker (@workers) { close $worker->{ask}; waitpid $worker->{pid}, 0 }
    };

done_testing;

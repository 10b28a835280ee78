#!/usr/bin/perl

# A process of Koha that has just been started, for t/life-cycle.t and t/upgrade.t: it loads what lies in the plugins' folder (as
# misc/devel/install_plugins.pl does, or with "start", "run" and "serve" as a web worker does: the class of each enabled plugin), does what it
# was given, and prints what it found as one line of JSON.
#
#   web-worker.pl PLUGINS FOLDER DATABASE WHAT [KPZ]

use Modern::Perl;

use FindBin;
BEGIN { $FindBin::Bin = "$FindBin::RealBin/.." }
use lib "$FindBin::RealBin/../lib";
BEGIN { unshift @INC, $ARGV[0] }

use CGI;
use Mojo::JSON qw( encode_json );

use Koha::BackgroundJob;
use Koha::Plugins;
use Koha::Plugins::Handler;
use Passport::Kpz qw( unzip_over );
use Passport::TestKoha;

my ( $plugins, $folder, $database, $what, $kpz ) = @ARGV;

my @warnings;
local $SIG{__WARN__} = sub { push @warnings, $_[0] };

my $koha = Passport::TestKoha->attach( { folder => $folder, database => $database }, pluginsdir => $plugins );
my $CLASS = 'Koha::Plugin::Org::PatronPassport';
my @installed;
my %is_web_worker = map { $_ => 1 } qw( start run serve );
@installed = $is_web_worker{$what} ? enabled() : Koha::Plugins->new->InstallPlugins if $what ne 'remove';
my ($plugin) = grep { ref eq $CLASS } @installed;

my %work = (
    look  => sub { return {} },
    start => sub { return {} },

# As plugins-upload.pl does it, in a worker that has had the plugin loaded; "reload" as Koha's development code does it.
    upload => sub { return upload() },
    reload => sub { local $Koha::Plugins::FORGETS = 1; return upload() },

# What a Koha finds by its table of methods: its list of tool plugins with "Run tool", and its background jobs.
    run => sub {
        local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc';
        local $ENV{REQUEST_METHOD} = 'GET';
        my @tools = Koha::Plugins->new->GetPlugins( { method => 'tool' } );
        my $page  = eval {
            Koha::Plugins::Handler->run( { class => $CLASS, method => 'tool', cgi => CGI->new( {} ) } );
            Passport::Page::last_page();
        };
        require Koha::Plugin::Org::PatronPassport::SeenJob;
        Koha::Plugin::Org::PatronPassport::SeenJob->new->enqueue( { patron_id => 1 } );
        my @jobs = eval { Koha::BackgroundJob->work_off };
        return { tools => scalar @tools, tool_page => $page, jobs => [ map { $_->{status} } @jobs ] };
    },
    use => sub {
        $koha->{plugin} = $plugin;
        $koha->configure( receiver_url => 'http://receiver:8080' );
        $plugin->scans->keep(
            {   event_id => 'scan_old',
                seq      => 1,
                state    => 'done',
                homes    => [ { id => 'midi', name => "Biblioth\x{e8}que" } ]
            }
        );
        return {};
    },
    note   => sub { $plugin->scans->note( 'scan_waiting', 'a' x 64 ); return {} },
    resume => sub {
        my $scans = $plugin->scans;
        $scans->keep( { event_id => 'scan_back', seq => 3, state => 'done' } );
        my %found = ( resumed => scalar $scans->hand_out( 'a' x 64 ) );
        $found{$_} = $scans->fetch($_) foreach qw( scan_waiting scan_back );
        return \%found;
    },

# One that was started before: it says what its routes answer each time that it is asked, and whether an object can be made.
    serve => sub {
        require Passport::TestApi;
        require Test::Mojo;
        my $t = Test::Mojo->new( Passport::TestApi::app($plugin) );
        undef $plugin;
        local $| = 1;
        say 'ready';
        while ( readline *STDIN ) {
            my %answers = map { $_ => $t->ua->get("/api/v1/contrib/passport/$_")->res->code }
                qw( copies about desk.js );
            my $object = eval { $CLASS->new( { enable_plugins => 1 } ) };
            say encode_json( \%answers );
        }
        exit;
    },
    disable => sub { $plugin->disable; return {} },
    enable  => sub { $plugin->enable;  return {} },
    remove  => sub {
        Koha::Plugins::Handler->delete( { class => $CLASS } );
        return {};
    },
);
my %found = %{ $work{$what}->() };

sub enabled {
    my $classes = C4::Context->dbh->selectcol_arrayref(
        q{SELECT plugin_class FROM plugin_data WHERE plugin_key = '__ENABLED__' AND plugin_value = 1});

    return map { require( s{::}{/}gxmsr . '.pm' ); $_->new } @{$classes};
}

sub upload {
    unzip_over( $kpz, $plugins );
    @installed = Koha::Plugins->new->InstallPlugins;
    ($plugin) = grep { ref eq $CLASS } @installed;

    return {};
}

if ( $plugin && $what ne 'remove' ) {
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc';
    local $ENV{REQUEST_METHOD} = 'GET';
    $plugin->{cgi} = CGI->new( {} );
    $plugin->configure;
    require Koha::Plugin::Org::PatronPassport::DeskScript;
    $found{page}      = $plugin->{shown};
    $found{script}    = Koha::Plugin::Org::PatronPassport::DeskScript::script( $plugin->bundle_path );
    $found{installed} = $plugin->retrieve_data('__INSTALLED_VERSION__');
    $found{scan}      = eval { $plugin->scans->fetch('scan_old') };
}
say encode_json( { %found, warnings => \@warnings, plugins => [ map {ref} @installed ] } );

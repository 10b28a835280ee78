#!/usr/bin/perl

# A web worker of Koha that has just been started, for t/life-cycle.t and t/upgrade.t: it loads what lies in the plugins' folder, does
# what it was given, and prints what it found as one line of JSON.
#
#   web-worker.pl PLUGINS FOLDER DATABASE WHAT

use Modern::Perl;

use FindBin;
BEGIN { $FindBin::Bin = "$FindBin::RealBin/.." }
use lib "$FindBin::RealBin/../lib";
BEGIN { unshift @INC, $ARGV[0] }

use CGI;
use Mojo::JSON qw( encode_json );

use Koha::Plugins;
use Koha::Plugins::Handler;
use Passport::TestKoha;

my ( $plugins, $folder, $database, $what ) = @ARGV;

my @warnings;
local $SIG{__WARN__} = sub { push @warnings, $_[0] };

my $koha = Passport::TestKoha->attach( { folder => $folder, database => $database }, pluginsdir => $plugins );
my $CLASS = 'Koha::Plugin::Org::PatronPassport';
my @installed;
@installed = Koha::Plugins->new->InstallPlugins if $what ne 'remove';
my ($plugin) = grep { ref eq $CLASS } @installed;

my %work = (
    look => sub { return {} },
    use  => sub {
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
    remove => sub {
        Koha::Plugins::Handler->delete( { class => $CLASS } );
        return {};
    },
);
my %found = %{ $work{$what}->() };

if ( $what ne 'remove' ) {
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

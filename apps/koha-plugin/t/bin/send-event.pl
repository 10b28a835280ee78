#!/usr/bin/perl

# Plays Koha's checkout page, with this plugin in it, against a receiver that runs: the card is scanned, the hook sends
# its event and waits, and what the page ends with is printed as one line of JSON:
#
#   {"page": "circulation.pl?borrowernumber=1", "event_id": "scan_…", "state": "queued", "ms": 412, "warnings": []}
#
# page is member.pl?… when Koha would say that it does not know the card; event_id is null when no event was taken.
# With PASSPORT_KOHA_URL the database of the page is that Koha stand-in's: a patron whom the service creates there is
# found here. Needs libdbd-sqlite3-perl and what Koha brings; reports the card to nobody but the receiver.
#
#   PASSPORT_RECEIVER_URL  http://127.0.0.1:8080
#   PASSPORT_LIBRARY       riverside
#   PASSPORT_SECRET        whsec_…
#   PASSPORT_CARD          21234000000017
#   PASSPORT_BRANCH        MAIN       (or another branch)
#   PASSPORT_INTERFACE     staff      (or self_check, sip)
#   PASSPORT_WAIT_MS       1500       (or up to 5000)
#   PASSPORT_PATTERNS                 (what a card looks like; the plugin's default)
#   PASSPORT_KOHA_URL                 (the stand-in of the lending Koha)

use Modern::Perl;

use FindBin;
BEGIN { $FindBin::Bin = "$FindBin::RealBin/.." }
use lib "$FindBin::RealBin/../lib", "$FindBin::RealBin/../koha/lib", "$FindBin::RealBin/../..";

use Mojo::JSON qw( encode_json );
use Mojo::URL  ();
use Mojo::UserAgent;
use Time::HiRes qw( sleep time );

use C4::SIP::Sip::MsgType;
use Passport::TestKoha;

my %set = map { lc $_ => $ENV{"PASSPORT_$_"} }
    qw( RECEIVER_URL LIBRARY SECRET CARD BRANCH INTERFACE WAIT_MS PATTERNS KOHA_URL );
foreach my $name (qw( receiver_url library secret card )) {
    die 'PASSPORT_' . uc($name) . " is not set\n" if !length( $set{$name} // q{} );
}

my %PAGE = (
    staff      => sub { return $_[0]->page( 'circ/circulation.pl',  "findborrower=$_[1]" ) },
    self_check => sub { return $_[0]->page( 'opac/sco/sco-main.pl', "patronid=$_[1]" ) },
    sip        => sub {
        my $id = C4::SIP::Sip::MsgType::handle_checkout( $set{card} );
        return $id ? "borrowernumber=$id" : 'unknown';
    },
);

my $koha = Passport::TestKoha->new;
$koha->configure(
    receiver_url    => $set{receiver_url},
    library         => $set{library},
    secret          => $set{secret},
    card_patterns   => $set{patterns} // q{},
    staff_wait      => $set{wait_ms}  // 1500,
    self_check_wait => $set{wait_ms}  // 1500,
);
$C4::Context::USERENV->{branch} = $set{branch} // 'MAIN';

my $mirror = length( $set{koha_url} // q{} ) ? start_mirror() : undef;
my @warnings;
local $SIG{__WARN__} = sub { push @warnings, $_[0] =~ s{\s+ \z}{}xmsr };
my $started = time;
my $page    = $PAGE{ $set{interface} // 'staff' }->( $koha, Mojo::Util::url_escape( $set{card} ) );
my $ms      = int 1000 * ( time - $started );
if ($mirror) { kill KILL => $mirror; waitpid $mirror, 0 }

my ( $event_id, $state )
    = $koha->{dbh}->selectrow_array('SELECT event_id, state FROM koha_plugin_org_patronpassport_scans');
say encode_json(
    {   page     => $page =~ s{ [&] searchmember= .* }{}xmsr,
        event_id => $event_id,
        state    => $state,
        ms       => $ms,
        warnings => \@warnings,
    }
);

# A process that copies the patron over as soon as the stand-in has it.
sub start_mirror {
    my $pid = fork // die "no fork: $!\n";
    return $pid if $pid;

    $koha->connect;
    my $url   = Mojo::URL->new("$set{koha_url}/_double/state")->query( cardnumber => $set{card} );
    my $agent = Mojo::UserAgent->new( request_timeout => 2 );
    while ( getppid > 1 ) {
        my $found = eval { $agent->get($url)->result->json('/patrons') } // [];
        if ( @{$found} ) {
            $koha->add_patron( $set{card} );
            last;
        }
        sleep 0.05;
    }
    require POSIX;
    POSIX::_exit(0);
}

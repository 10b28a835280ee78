package Koha::Plugin::Org::PatronPassport::TestCard;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use C4::Log     ();
use List::Util  qw( any );
use Mojo::Util  qw( steady_time );
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Card      qw( fits trimmed );
use Koha::Plugin::Org::PatronPassport::Code      qw( is_item );
use Koha::Plugin::Org::PatronPassport::Event     qw( new_id not_found );
use Koha::Plugin::Org::PatronPassport::FirstScan qw( find_known );
use Koha::Plugin::Org::PatronPassport::KohaFacts qw( may );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Shape  qw( is_id );
use Koha::Plugin::Org::PatronPassport::Status qw( ended_event );
use Koha::Plugin::Org::PatronPassport::User   qw( current_user );

# What a checkout needs, and the patron search that shows whom it finds.
my @NEEDS = ( 'circulate: circulate_remaining_permissions', 'borrowers: edit_borrowers' );

# Each is a look at other libraries: enough to try a set-up, too few to go through numbers.
my $MOST_AN_HOUR = 20;
my $HOUR_S       = 3600;

# Lines of the action log: each try, and the event that one has joined in place of its own.
my $MODULE = 'PATRONPASSPORT';
my $TRIED  = 'TEST_CARD';
my $JOINED = 'TEST_CARD_JOINED';

# A page waits so long for the answer, and then offers to look again.
my $LIMIT_S = 4;
my $ASK_S   = 1.5;
my $PAUSE_S = 0.3;

our @EXPORT_OK = qw( follow_card may_test try_card );

=head1 NAME

Koha::Plugin::Org::PatronPassport::TestCard - what would become of a card, from the status page

=head1 DESCRIPTION

The event of a test card (interface C<test>) goes the way of a scan: the service looks it up, judges it and writes it into its audit under the
number of whoever tried it, by the limits of this library; and it writes nothing at any library. What is shown is what the desk's panel would
show. Each is a line of Koha's action log, without the card; they are what the limit of an hour counts, and what says whose test an event is.

=head1 FUNCTIONS

=head2 may_test

Whether whoever is logged in may do at the desk what this shows.

=cut

sub may_test {
    my $user = current_user() or return 0;

    return ( any { !may( $user, $_ ) } @NEEDS ) ? 0 : 1;
}

=head2 try_card

    my $answer = try_card( $plugin, $typed );

C<< { kind => 'ended', event => {...} } >> (L<Koha::Plugin::Org::PatronPassport::Status/ended_event>), or a C<kind> alone: C<not_permitted>,
C<incomplete>, C<not_a_card> (it fits no pattern, or is an item here), C<known> (somebody here has it: nobody is asked), C<too_many>,
C<no_library>, C<not_taken>, or C<open> with the C<event_id> to follow.

=cut

sub try_card {
    my ( $plugin, $typed ) = @_;

    my $settings = $plugin->settings;
    my $acting   = C4::Context->userenv // {};
    return { kind => 'not_permitted' } if !may_test();
    return { kind => 'incomplete' }    if !$settings->is_complete;
    return { kind => 'not_a_card' }    if !fits( $typed, $settings->patterns ) || is_item($typed);
    return { kind => 'no_library' }    if !length( $acting->{branch} // q{} );

    my $card = trimmed($typed);
    return { kind => 'known' } if find_known( $plugin->copies, 'staff', $card );

# before it is counted, so that of tries at the same moment each counts the others, and before anything is sent: what cannot be written
# down is not tried
    my $event_id = new_id();
    _log( $TRIED, $event_id );
    return { kind => 'too_many' } if _tried( $acting->{number} ) > $MOST_AN_HOUR;

    my %scan  = ( card => $card, branch => $acting->{branch}, operator => $acting->{number} );
    my $event = not_found( { %scan, interface => 'test', now => Time::HiRes::time() } );

    my $sent
        = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->deliver( $event_id, $event, $ASK_S );
    return { kind => 'not_taken' }     if $sent->{kind} ne 'accepted';
    _log( $JOINED, $sent->{event_id} ) if $sent->{event_id} ne $event_id;

    return follow_card( $plugin, $sent->{event_id} );
}

sub _log {
    my ( $action, $event_id ) = @_;

    return C4::Log::logaction( $MODULE, $action, undef, _line_of($event_id) );
}

sub _line_of {
    my ($event_id) = @_;

    return "Tried a card at Patron Passport: event $event_id";
}

# By whom: the limit of one says nothing about another.
sub _tried {
    my ($number) = @_;

    my ($count) = C4::Context->dbh->selectrow_array(
        'SELECT COUNT(*) FROM action_logs WHERE module = ? AND action = ? AND user = ? AND UNIX_TIMESTAMP(timestamp) - ? > 0',
        undef, $MODULE, $TRIED, $number, time - $HOUR_S
    );

    return $count;
}

=head2 follow_card

    my $answer = follow_card( $plugin, $event_id );

What became of a try of whoever is logged in by now, after a few seconds at most; as above. Of any other event, C<not_taken>.

=cut

sub follow_card {
    my ( $plugin, $event_id ) = @_;

    my $settings = $plugin->settings;
    return { kind => 'not_permitted' } if !may_test();
    return { kind => 'not_taken' } if !is_id($event_id) || !$settings->is_complete || !_is_theirs($event_id);

    my $sender = Koha::Plugin::Org::PatronPassport::Sender->new($settings);
    my $until  = steady_time() + $LIMIT_S;
    do {
        my $event = ended_event( $sender->query( $event_id, $ASK_S )->{state} // {} );
        return { kind => 'ended', event => $event } if $event;
        Time::HiRes::sleep($PAUSE_S);
    } while steady_time() < $until;

    return { kind => 'open', event_id => $event_id };
}

# The service would say of any event of this library, and of scans somebody else may have made.
sub _is_theirs {
    my ($event_id) = @_;

    my ($count) = C4::Context->dbh->selectrow_array(
        'SELECT COUNT(*) FROM action_logs WHERE module = ? AND action IN (?, ?) AND user = ? AND info = ?',
        undef, $MODULE, $TRIED, $JOINED, ( C4::Context->userenv // {} )->{number},
        _line_of($event_id)
    );

    return $count;
}

1;

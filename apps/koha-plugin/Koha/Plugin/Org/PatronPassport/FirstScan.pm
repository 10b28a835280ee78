package Koha::Plugin::Org::PatronPassport::FirstScan;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Caller     qw( interface );
use Koha::Plugin::Org::PatronPassport::Card       qw( fits scan_key trimmed );
use Koha::Plugin::Org::PatronPassport::Event      qw( new_id not_found );
use Koha::Plugin::Org::PatronPassport::FinalCard  qw( final_card );
use Koha::Plugin::Org::PatronPassport::Patrons    qw( find_known is_known );
use Koha::Plugin::Org::PatronPassport::SeenCopies qw( copy_seen );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Waiting qw( until_there );

our $UNKNOWN_BRANCH = '__UNKNOWN_BRANCH__';

our @EXPORT_OK = qw( scanned );

=head1 NAME

Koha::Plugin::Org::PatronPassport::FirstScan - makes the first scan of a visitor's card work

=head1 FUNCTIONS

=head2 scanned

    my $end = scanned( $plugin, $scanned );

What the hook does: a patron who is known here costs one query, and a copy is noted to be reported later
(L<Koha::Plugin::Org::PatronPassport::SeenCopies>); a card that is not known is reported, and the page waits
a moment for the copy. All of it is about the card as Koha will look it up, after all plugins. Returns C<elsewhere> (not
scanned for a checkout), C<known>, C<off>, C<no_card>, C<unsent>, or how the wait ended
(L<Koha::Plugin::Org::PatronPassport::Waiting>). Koha goes on the same way after each of them.

=cut

sub scanned {
    my ( $plugin, $scanned ) = @_;

    return 'no_card' if !length( $scanned // q{} );
    my $interface = interface() or return 'elsewhere';

    # the service compares it without outer blanks, and so does whoever is looked for here
    my $card = trimmed( final_card( $plugin, $scanned ) );
    my $dbh  = C4::Context->dbh;
    if ( my $known = find_known( $dbh, $interface, $card, $plugin->copies->table ) ) {
        copy_seen( $plugin, $known ) if defined $known->{copy};
        return 'known';
    }

    my $settings = $plugin->settings;
    return 'off'     if !$settings->serves($interface) || !$settings->is_complete;
    return 'no_card' if !fits( $card, $settings->patterns );

    my $event_id = _report( $plugin, $settings, $interface, $card ) or return 'unsent';

    my $scans = $plugin->scans;
    $scans->note( $event_id, scan_key( $card, $settings->key ) );

    return until_there(
        {   dbh      => $dbh,
            limit_ms => $settings->wait_ms($interface),

            # a SIP connection has a process of its own, no web worker
            alone      => $interface ne 'sip',
            is_decided => sub { return $scans->is_decided($event_id) },
            is_there   => sub { return is_known( $dbh, $interface, $card ) },
        }
    );
}

sub _report {
    my ( $plugin, $settings, $interface, $card ) = @_;

    my $acting = C4::Context->userenv // {};
    if ( !length( $acting->{branch} // q{} ) ) {
        warn
            "Patron Passport: a card was scanned ($interface) by somebody without a library; nothing was sent\n";
        return;
    }

    _note_unknown_branch( $plugin, $acting->{branch} ) if $interface eq 'sip';

    my $body = not_found(
        {   card      => $card,
            branch    => $acting->{branch},
            interface => $interface,
            operator  => $acting->{number},
            now       => Time::HiRes::time(),
        }
    );
    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->deliver( new_id(), $body );
    return $answer->{event_id} if $answer->{kind} eq 'accepted';

    # the exchange that started the pause has its line
    return if ( $answer->{why} // q{} ) eq 'paused';

    warn sprintf "Patron Passport: the receiver did not take an event (%s) after %d ms\n",
        $answer->{kind} eq 'refused' ? "status $answer->{status}" : $answer->{why}, $answer->{ms};

    return;
}

# Koha takes the institution of a SIP account for a branch, whatever it is (api_auth in its C4/SIP/Sip/MsgType.pm). A line and a row
# for each process of the SIP server, for whoever reads the log and for the status page.
sub _note_unknown_branch {
    my ( $plugin, $branch ) = @_;

    state %seen;
    return if $seen{$branch}++;

    my ($is_there) = C4::Context->dbh->selectrow_array( 'SELECT COUNT(*) FROM branches WHERE branchcode = ?',
        undef, $branch );
    return if $is_there;

    warn "Patron Passport: the institution of a SIP account is no branch of this Koha: $branch\n";
    $plugin->store_data( { $UNKNOWN_BRANCH => $branch } );

    return;
}

1;

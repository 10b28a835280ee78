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

    my $card = final_card( $plugin, $scanned );
    my $dbh  = C4::Context->dbh;
    if ( my $known = find_known( $dbh, $interface, $card, $plugin->copies->table ) ) {
        copy_seen( $plugin, $known ) if defined $known->{copy};
        return 'known';
    }

    my $settings = $plugin->settings;
    return 'off'     if !$settings->serves($interface) || !$settings->is_complete;
    return 'no_card' if !fits( $card, $settings->patterns );

    my $event_id = _report( $settings, $interface, $card ) or return 'unsent';

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
    my ( $settings, $interface, $card ) = @_;

    my $acting = C4::Context->userenv // {};
    if ( !length( $acting->{branch} // q{} ) ) {
        warn
            "Patron Passport: a card was scanned ($interface) by somebody without a library; nothing was sent\n";
        return;
    }

    my $body = not_found(
        {   card      => trimmed($card),
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

1;

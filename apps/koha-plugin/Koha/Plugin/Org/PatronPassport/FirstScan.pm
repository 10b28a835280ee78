package Koha::Plugin::Org::PatronPassport::FirstScan;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Koha::Plugins;
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Caller qw( desk_of interface session );
use Koha::Plugin::Org::PatronPassport::Card   qw( fits scan_key trimmed );
use Koha::Plugin::Org::PatronPassport::Code   qw( is_item );
use Koha::Plugin::Org::PatronPassport::Event  qw( new_id not_found );
use Koha::Plugin::Org::PatronPassport::SeenJob;
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::User    qw( decides );
use Koha::Plugin::Org::PatronPassport::Waiting qw( until_there );

# Of a SIP account: when it was seen last, and what it was.
my $UNKNOWN_BRANCH = '__UNKNOWN_BRANCH__';
my $NOTED_FOR      = 7 * 24 * 3600;
my $NOTED_ANEW     = 3600;

my $BY_CARD      = 'FROM borrowers b %s WHERE b.cardnumber = ?';
my $BY_LOGIN     = 'FROM borrowers b %s WHERE b.userid = ?';
my $BY_ATTRIBUTE = 'FROM borrower_attributes b JOIN borrower_attribute_types t ON t.code = b.code %s'
    . ' WHERE t.unique_id = 1 AND b.attribute = ?';

my $ATTRIBUTES_SINCE = 2605;

our @EXPORT_OK = qw( final_card find_known scanned unknown_branch );

=head1 NAME

Koha::Plugin::Org::PatronPassport::FirstScan - makes the first scan of a visitor's card work

=head1 FUNCTIONS

=head2 scanned

    my $end = scanned( $plugin, $scanned );

What the hook does: a patron who is known here costs one query, and a copy is noted to be reported later
(L<Koha::Plugin::Org::PatronPassport::SeenJob>); a card that is not known is reported, and the page waits
a moment for the copy. All of it is about the card as Koha will look it up, after all plugins. Returns C<elsewhere> (not
scanned for a checkout), C<known>, C<off>, C<no_card>, C<item> (the barcode of an item here), C<unsent>, or how the wait ended
(L<Koha::Plugin::Org::PatronPassport::Waiting>). Koha goes on the same way after each of them.

=cut

sub scanned {
    my ( $plugin, $scanned ) = @_;

    return 'no_card' if !length( $scanned // q{} );
    my $interface = interface() or return 'elsewhere';

    # the service compares it without outer blanks, and so does whoever is looked for here
    my $card = trimmed( final_card( $plugin, $scanned ) );
    my $dbh  = C4::Context->dbh;
    if ( my $known = find_known( $plugin->copies, $interface, $card ) ) {
        Koha::Plugin::Org::PatronPassport::SeenJob::copy_seen( $plugin, $interface, $known )
            if defined $known->{copy};
        return 'known';
    }

    my $settings = $plugin->settings;
    return 'off'
        if !$settings->serves($interface) || !$settings->takes($interface) || !$settings->is_complete;
    return 'no_card' if !fits( $card, $settings->patterns );
    return 'item'    if _is_for_item( $settings, $interface, $card );

    my $desk     = $interface eq 'staff' ? desk_of( session(), $settings->key ) : undef;
    my $event_id = _report( $plugin, $settings, $interface, $card, $desk ) or return 'unsent';

    my $scans = $plugin->scans;
    $scans->note( $event_id, scan_key( $card, $settings->key, $desk ) );

    return until_there(
        {   dbh      => $dbh,
            limit_ms => $settings->wait_ms($interface),

            # a SIP connection has a process of its own, no web worker
            alone      => $interface ne 'sip',
            is_decided => sub { return $scans->is_decided($event_id) },
            is_there   => sub { return _first( $interface, $card, '1', q{} ) ? 1 : 0 },
        }
    );
}

# An item that was scanned where a card should have been is no business of other libraries. Where it can be a card all the same, somebody at
# the desk can say so; nobody can elsewhere, and then a card that fits what the library says of cards is one.
sub _is_for_item {
    my ( $settings, $interface, $card ) = @_;

    return 0 if $interface ne 'staff' && $settings->has_patterns;

    return is_item($card);
}

=head2 final_card

    my $card = final_card( $plugin, $scanned );

The card as Koha will look it up.

=cut

# It hands a card from plugin to plugin (Koha/Plugins.pm, call) and looks up what the last one made
# of it. Those before us have run; those after us are called here, with a copy. An error in one of them is Koha's to report, when it
# calls them itself.
sub final_card {
    my ( $plugin, $card ) = @_;

    # Koha keeps the list for the request: no query, and the order in which it calls them
    my @plugins = eval { Koha::Plugins->get_enabled_plugins( { verbose => 0 } ) };
    shift @plugins while @plugins && ref $plugins[0] ne ref $plugin;
    shift @plugins;

    my $final = $card;
    foreach my $other ( grep { $_->can('patron_barcode_transform') } @plugins ) {
        my $rewritten = $final;
        next                if !eval { $other->patron_barcode_transform( \$rewritten ); 1 };
        $final = $rewritten if !ref $rewritten && length( $rewritten // q{} );
    }

    return $final;
}

=head2 find_known

    my $patron = find_known( $plugin->copies, 'staff', $card ) or ...;

Whom Koha will find: C<< { patron_id => 812, copy => 812, seen_at => 1_795_597_200, has_standing => 1 } >>, where C<copy> is Koha's number of a copy that the
service made (undef for everybody else), C<seen_at> when a scan of it was last reported, and C<has_standing> whether the service checks the
patron's standing.

One query over indexes: by card, and for SIP as Koha looks there, by login name, by card and, from 26.05 on, by any
unique attribute (C<Koha::Patrons-E<gt>find_by_identifier>, bug 41383). It matches what Koha will match: the database's
collation decides, not we.

=cut

sub find_known {
    my ( $copies, $interface, $card ) = @_;

    my $with_copies = 'LEFT JOIN ' . $copies->table . ' c ON c.patron_id = b.borrowernumber';
    my $found       = $copies->despite_missing(
        sub {
            return
                scalar _first( $interface, $card, 'c.patron_id, c.seen_at, c.checked_at, b.borrowernumber',
                $with_copies );
        }
    );

    return $found
        ? {
        patron_id    => $found->[3],
        copy         => $found->[0],
        seen_at      => $found->[1],
        has_standing => defined $found->[2],
        }
        : undef;
}

sub _first {
    my ( $interface, $card, $columns, $tables ) = @_;

    my @ways
        = map { sprintf "SELECT $columns $_", $tables } $interface eq 'sip' ? _ways_of_sip() : ($BY_CARD);
    my $sql = join( ' UNION ALL ', @ways ) . ' LIMIT 1';

    # an error must not print the statement: the card is in it
    my $dbh = C4::Context->dbh;
    local $dbh->{PrintError}         = 0;
    local $dbh->{ShowErrorStatement} = 0;

    return $dbh->selectrow_arrayref( $sql, undef, ($card) x @ways );
}

sub _ways_of_sip {
    my ( $year, $month ) = Koha::version() =~ m{\A ([0-9]+) [.] ([0-9]+) }xms;
    my $has_attributes = 100 * ( $year // 0 ) + ( $month // 0 ) >= $ATTRIBUTES_SINCE;

    return ( $BY_LOGIN, $BY_CARD, $has_attributes ? $BY_ATTRIBUTE : () );
}

sub _report {
    my ( $plugin, $settings, $interface, $card, $desk ) = @_;

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
            desk      => $desk,
            $interface eq 'staff' ? ( decides => [ decides() ] ) : (),
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

# Koha takes the institution of a SIP account for a branch, whatever it is (api_auth in its C4/SIP/Sip/MsgType.pm). A line
# for each process of the SIP server, for whoever reads the log, and a row, noted anew every hour, for the status page.
sub _note_unknown_branch {
    my ( $plugin, $branch ) = @_;

    state %noted;
    my $now   = time;
    my $first = !exists $noted{$branch};
    return if !$first && $now - $noted{$branch} < $NOTED_ANEW;
    $noted{$branch} = $now;

    my ($is_there) = C4::Context->dbh->selectrow_array( 'SELECT COUNT(*) FROM branches WHERE branchcode = ?',
        undef, $branch );
    return if $is_there;

    warn "Patron Passport: the institution of a SIP account is no branch of this Koha: $branch\n" if $first;
    $plugin->store_data( { $UNKNOWN_BRANCH => "$now $branch" } );

    return;
}

=head2 unknown_branch

    my $branch = unknown_branch( $plugin, $now );

The institution of a SIP account that was no branch when a card was scanned there; undef from a week after the last such scan on: no
scan says that it was corrected.

=cut

sub unknown_branch {
    my ( $plugin, $now ) = @_;

    my ( $at, $branch ) = ( $plugin->retrieve_data($UNKNOWN_BRANCH) // q{} ) =~ m{\A (\d+) [ ] (.+) \z}xms;

    return defined $at && ( $now // time ) - $at <= $NOTED_FOR ? $branch : undef;
}

1;

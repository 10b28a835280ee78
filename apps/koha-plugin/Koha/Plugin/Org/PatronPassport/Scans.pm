package Koha::Plugin::Org::PatronPassport::Scans;

use Modern::Perl;

use base qw( Koha::Plugin::Org::PatronPassport::Table );

use Koha::Plugin::Org::PatronPassport::Problem qw( report );
use Koha::Plugin::Org::PatronPassport::State   qw( cleaned from_stored to_stored );

my $KEPT_S = 24 * 60 * 60;
my $END    = qr{\A (?: done | failed ) \z}xms;

# So long after a scan the page that comes of it takes over its event, which may have ended by then.
my $HANDED_S = 10;

# When the receiver is queried for an event that nobody reported to us: so long after it was sent or reported, and so long
# after a query in vain.
my $QUERY_AFTER_S       = 2;
my $QUERY_AGAIN_AFTER_S = 5;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Scans - the outcome of the events, a row each

=head1 DESCRIPTION

Rows are kept a day. There is no card, no name and no barcode in them; C<scan_key> is a keyed hash of the card as long as
the event can be handed to a page, and empty from then on.

=head1 METHODS

=head2 new

    my $scans = Koha::Plugin::Org::PatronPassport::Scans->new( { dbh => $dbh, table => $name, now => sub {time} } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return $class->SUPER::new( { now => sub { return time }, %{$args} } );
}

=head2 definition

See L<Koha::Plugin::Org::PatronPassport::Table>. Ids are distinguished by case, as Koha's tables would not.

=cut

sub definition {
    my ( $class, $table ) = @_;

    my $create = <<"SQL";
CREATE TABLE IF NOT EXISTS $table (
    event_id VARCHAR(128) NOT NULL,
    seq BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    told MEDIUMTEXT NULL,
    stored_at BIGINT NOT NULL,
    ask_at BIGINT NOT NULL,
    scan_key VARCHAR(64) NULL,
    scan_until BIGINT NULL,
    PRIMARY KEY (event_id),
    KEY stored_at (stored_at),
    KEY scan_key (scan_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
SQL

    return (
        key     => 'event_id',
        create  => $create,
        changes => [],
    );
}

=head2 note

    $scans->note($event_id);
    $scans->note( $event_id, $scan_key );

Remembers an event that was sent and of which nothing is known yet. With C<$scan_key>
(L<Koha::Plugin::Org::PatronPassport::Card/scan_key>) a page may take it over, unless one has it already.

=cut

sub note {
    my ( $self, $event_id, $scan_key ) = @_;

    my %handed
        = defined $scan_key
        ? ( scan_key => $scan_key, scan_until => $self->{now}->() + $HANDED_S )
        : ( scan_key => q{} );

    # what cannot be forgotten now will be by the next scan or the nightly job
    eval { $self->purge; 1 } or report( 'forgetting old events', $@ );
    return if $self->_insert( $event_id, 0, 'queued', undef, %handed );

    # the service can be quicker with its first word than we are
    $self->update( $event_id, \%handed, 'scan_key IS NULL' );

    return;
}

=head2 hand_out

    my $event_id = $scans->hand_out($scan_key);

The event of a scan of the last ten seconds, for the one page that is to follow it; undef when there is none or another
page has it.

=cut

sub hand_out {
    my ( $self, $scan_key ) = @_;

    my $is_fresh = 'scan_key = ? AND scan_until > ? ORDER BY scan_until DESC LIMIT 1';
    my ($event_id) = $self->ids_where( $is_fresh, $scan_key, $self->{now}->() );
    return if !defined $event_id;

    return $self->update( $event_id, { scan_key => q{} }, 'scan_key = ?', $scan_key ) ? $event_id : undef;
}

=head2 keep

    $scans->keep($state);

Stores a state of an event unless a later one (a higher C<seq>) is there already. An end takes the place of a state of the same C<seq> that is none:
after a failover of its Redis, the service counts on from the last state that was not lost.

=cut

sub keep {
    my ( $self, $state ) = @_;

    my $kept = cleaned($state);
    my @row  = ( $kept->{seq}, $kept->{state}, to_stored($kept) );

    # again, because another request can store a state of this event in between
    foreach my $try ( 1 .. 3 ) {
        return if $self->_update( $kept->{event_id}, @row );

        my $stored_seq = $self->_stored_seq( $kept->{event_id} );
        return if defined $stored_seq  && $stored_seq >= $kept->{seq};
        return if !defined $stored_seq && $self->_insert( $kept->{event_id}, @row );
    }

    die "the state could not be stored\n";
}

=head2 keep_current

    $scans->keep_current($state);

Stores what the receiver answered a moment ago: of the same C<seq> it says more than what is kept, such as that no worker
is there. Only an end takes the place of an end.

=cut

sub keep_current {
    my ( $self, $state ) = @_;

    my $kept    = cleaned($state);
    my %now     = ( state => $kept->{state}, told => to_stored($kept) );
    my $is_same = $kept->{state} =~ $END ? 'seq = ?' : q{seq = ? AND state NOT IN ('done', 'failed')};
    return if $self->update( $kept->{event_id}, \%now, $is_same, $kept->{seq} );

    return $self->keep($state);
}

=head2 fetch

    my $state = $scans->fetch($event_id);

The state as it is shown, undef for an event that is not known.

=cut

sub fetch {
    my ( $self, $event_id ) = @_;

    my ( $seq, $state, $reported ) = $self->row( $event_id, 'seq, state, told' );
    return                        if !defined $seq;
    return from_stored($reported) if defined $reported;
    return cleaned( { event_id => $event_id, seq => $seq, state => $state } );
}

=head2 is_decided

True once the service has decided, or waits for the patron's consent or a decision of staff: then somebody has to read the page.

=cut

sub is_decided {
    my ( $self, $event_id ) = @_;

    my ( $state, $reported ) = $self->row( $event_id, 'state, told' );
    return 0 if !defined $state;
    return 1 if $state =~ $END;
    return 0 if $state ne 'waiting' || !defined $reported;

    my $told = from_stored($reported);

    return $told->{consent} || $told->{asks} ? 1 : 0;
}

=head2 may_query

    if ( $scans->may_query($event_id) ) { ... }

True for one of several simultaneous callers, when the receiver may be queried for an event that the service
should have reported to us by now.

=cut

sub may_query {
    my ( $self, $event_id ) = @_;

    my $now = $self->{now}->();

    my %next = ( ask_at => $now + $QUERY_AGAIN_AFTER_S );

    return $self->update( $event_id, \%next, q{ask_at <= ? AND state NOT IN ('done', 'failed')}, $now );
}

=head2 purge

Forgets events older than a day; of the others, forgets the card's key as soon as no page can take the event over.

=cut

sub purge {
    my ($self) = @_;

    my $now = $self->{now}->();

    # a search first takes no lock; a DELETE over a range would lock the gaps into which others insert
    my @is_old = ( 'stored_at < ?', $now - $KEPT_S );
    $self->remove( $_, @is_old ) foreach $self->ids_where(@is_old);

    my @is_of_no_use = ( q{scan_key > '' AND scan_until <= ?}, $now );
    $self->update( $_, { scan_key => q{} }, @is_of_no_use ) foreach $self->ids_where(@is_of_no_use);

    return;
}

sub _update {
    my ( $self, $event_id, @row ) = @_;

    my ( $seq, $state ) = @row;
    my $not_after = $state =~ $END ? q{(seq < ? OR seq = ? AND state NOT IN ('done', 'failed'))} : 'seq < ?';

    return $self->update( $event_id, $self->_values(@row), $not_after, ($seq) x $not_after =~ tr/?// );
}

sub _stored_seq {
    my ( $self, $event_id ) = @_;

    my ($seq) = $self->row( $event_id, 'seq' );

    return $seq;
}

# False when the row is there already.
sub _insert {
    my ( $self, $event_id, @row ) = @_;

    return $self->insert( { event_id => $event_id, %{ $self->_values(@row) } } );
}

sub _values {
    my ( $self, $seq, $state, $reported, %more ) = @_;

    my $now = $self->{now}->();

    return {
        seq       => $seq,
        state     => $state,
        told      => $reported,
        stored_at => $now,
        ask_at    => $now + $QUERY_AFTER_S,
        %more
    };
}

1;

package Koha::Plugin::Org::PatronPassport::Scans;

use Modern::Perl;

use Mojo::JSON qw( decode_json encode_json );

use Koha::Plugin::Org::PatronPassport::State qw( cleaned );

my $KEPT_S = 24 * 60 * 60;

# So long after a scan the page that comes of it takes over its event, which may have ended by then.
my $HANDED_S = 10;

# When an event of which nobody told us is asked for at the receiver: so long after it was sent or told of, and so long
# after the receiver was asked in vain.
my $ASK_AFTER_S       = 2;
my $ASK_AGAIN_AFTER_S = 5;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Scans - what became of the events, a row each

=head1 DESCRIPTION

Rows are kept a day. There is no card, no name and no barcode in them; C<scan_key> is a keyed hash of the card as long as
the event can be handed to a page, and empty from then on.

=head1 METHODS

=head2 new

    my $scans = Koha::Plugin::Org::PatronPassport::Scans->new( { dbh => $dbh, table => $name, now => sub {time} } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { now => sub { return time }, %{$args} }, $class;
}

=head2 note

    $scans->note($event_id);
    $scans->note( $event_id, $scan_key );

Remembers an event that was sent and of which nothing is known yet. With C<$scan_key>
(L<Koha::Plugin::Org::PatronPassport::Card/scan_key>) a page may take it over, unless one has it already.

=cut

sub note {
    my ( $self, $event_id, $scan_key ) = @_;

    my @handed = defined $scan_key ? ( $scan_key, $self->{now}->() + $HANDED_S ) : ( q{}, undef );
    $self->purge;
    return if $self->_insert( $event_id, 0, 'queued', undef, @handed );

    # the service can be quicker with its first word than we are
    $self->{dbh}->do(
        "UPDATE $self->{table} SET scan_key = ?, scan_until = ? WHERE event_id = ? AND scan_key IS NULL",
        undef, @handed, $event_id );

    return;
}

=head2 hand_out

    my $event_id = $scans->hand_out($scan_key);

The event of a scan of the last ten seconds, for the one page that is to follow it; undef when there is none or another
page has it.

=cut

sub hand_out {
    my ( $self, $scan_key ) = @_;

    my ($event_id) = $self->{dbh}->selectrow_array(
        "SELECT event_id FROM $self->{table} WHERE scan_key = ? AND scan_until > ? ORDER BY scan_until DESC LIMIT 1",
        undef, $scan_key, $self->{now}->()
    );
    return if !defined $event_id;

    my $changed
        = $self->{dbh}->do( "UPDATE $self->{table} SET scan_key = '' WHERE event_id = ? AND scan_key = ?",
        undef, $event_id, $scan_key );

    return $changed > 0 ? $event_id : undef;
}

=head2 keep

    $scans->keep($state);

Stores a state of an event unless a later one (a higher C<seq>) is there already.

=cut

sub keep {
    my ( $self, $state ) = @_;

    my $kept = cleaned($state);
    my @row  = ( $kept->{seq}, $kept->{state}, encode_json($kept) );

    # again, because another request can store a state of this event in between
    foreach my $try ( 1 .. 3 ) {
        return if $self->_update( $kept->{event_id}, @row );

        my $stored_seq = $self->_stored_seq( $kept->{event_id} );
        return if defined $stored_seq  && $stored_seq >= $kept->{seq};
        return if !defined $stored_seq && $self->_insert( $kept->{event_id}, @row );
    }

    die "the state could not be stored\n";
}

=head2 fetch

    my $state = $scans->fetch($event_id);

The state as it is shown, undef for an event that is not known.

=cut

sub fetch {
    my ( $self, $event_id ) = @_;

    my ( $seq, $state, $told )
        = $self->{dbh}->selectrow_array( "SELECT seq, state, told FROM $self->{table} WHERE event_id = ?",
        undef, $event_id );
    return                    if !defined $seq;
    return decode_json($told) if defined $told;
    return cleaned( { event_id => $event_id, seq => $seq, state => $state } );
}

=head2 is_final

True once the service has its verdict.

=cut

sub is_final {
    my ( $self, $event_id ) = @_;

    my ($state)
        = $self->{dbh}
        ->selectrow_array( "SELECT state FROM $self->{table} WHERE event_id = ?", undef, $event_id );

    return ( $state // q{} ) =~ m{\A (?: done | failed ) \z}xms ? 1 : 0;
}

=head2 may_ask

    if ( $scans->may_ask($event_id) ) { ... }

True for one of all who ask at the same moment, when the receiver may be asked for an event of which the service
should have told us by now.

=cut

sub may_ask {
    my ( $self, $event_id ) = @_;

    my $now     = $self->{now}->();
    my $changed = $self->{dbh}->do(
        "UPDATE $self->{table} SET ask_at = ? WHERE event_id = ? AND ask_at <= ? AND state NOT IN ('done', 'failed')",
        undef, $now + $ASK_AGAIN_AFTER_S, $event_id, $now
    );

    return $changed > 0 ? 1 : 0;
}

=head2 purge

Forgets events older than a day, and of which card a scan was once no page can take it over.

=cut

sub purge {
    my ($self) = @_;

    my $now = $self->{now}->();
    $self->{dbh}->do( "DELETE FROM $self->{table} WHERE stored_at < ?", undef, $now - $KEPT_S );
    $self->{dbh}->do( "UPDATE $self->{table} SET scan_key = '' WHERE scan_key > '' AND scan_until <= ?",
        undef, $now );

    return;
}

sub _update {
    my ( $self, $event_id, $seq, $state, $told ) = @_;

    my $now     = $self->{now}->();
    my $changed = $self->{dbh}->do(
        "UPDATE $self->{table} SET seq = ?, state = ?, told = ?, stored_at = ?, ask_at = ?"
            . ' WHERE event_id = ? AND seq < ?',
        undef, $seq, $state, $told, $now, $now + $ASK_AFTER_S, $event_id, $seq
    );

    return $changed > 0 ? 1 : 0;
}

sub _stored_seq {
    my ( $self, $event_id ) = @_;

    my ($seq)
        = $self->{dbh}
        ->selectrow_array( "SELECT seq FROM $self->{table} WHERE event_id = ?", undef, $event_id );

    return $seq;
}

# False when the row is there already.
sub _insert {
    my ( $self, $event_id, $seq, $state, $told, $scan_key, $scan_until ) = @_;

    my $now = $self->{now}->();
    my %row = (
        event_id   => $event_id,
        seq        => $seq,
        state      => $state,
        told       => $told,
        stored_at  => $now,
        ask_at     => $now + $ASK_AFTER_S,
        scan_key   => $scan_key,
        scan_until => $scan_until,
    );
    my @columns = sort keys %row;
    my $sql     = sprintf "INSERT INTO $self->{table} (%s) VALUES (%s)", join( q{, }, @columns ),
        join q{, }, (q{?}) x @columns;

    local $self->{dbh}->{PrintError} = 0;
    my $inserted = eval { $self->{dbh}->do( $sql, undef, @row{@columns} ) };
    my $error    = $@;
    return 1 if $inserted;
    return 0 if defined $self->_stored_seq($event_id);

    die $error || "the event could not be stored\n";
}

1;

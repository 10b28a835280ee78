package Koha::Plugin::Org::PatronPassport::Scans;

use Modern::Perl;

use Mojo::JSON qw( decode_json encode_json );

use Koha::Plugin::Org::PatronPassport::State qw( cleaned );

my $KEPT_S = 24 * 60 * 60;

# When an event of which nobody told us is asked for at the receiver: so long after it was sent or told of, and so long
# after the receiver was asked in vain.
my $ASK_AFTER_S       = 2;
my $ASK_AGAIN_AFTER_S = 5;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Scans - what became of the events, a row each

=head1 DESCRIPTION

Rows are kept a day. There is no card, no name and no barcode in them.

=head1 METHODS

=head2 new

    my $scans = Koha::Plugin::Org::PatronPassport::Scans->new( { dbh => $dbh, table => $name, now => sub {time} } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { now => sub { return time }, %{$args} }, $class;
}

=head2 create_table, drop_table

Both are safe to repeat.

=cut

sub create_table {
    my ($self) = @_;

    # ids are told apart by case; Koha's tables would not
    $self->{dbh}->do(<<"SQL");
CREATE TABLE IF NOT EXISTS $self->{table} (
    event_id VARCHAR(128) NOT NULL,
    seq BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    told MEDIUMTEXT NULL,
    stored_at BIGINT NOT NULL,
    ask_at BIGINT NOT NULL,
    PRIMARY KEY (event_id),
    KEY stored_at (stored_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
SQL

    return;
}

sub drop_table {
    my ($self) = @_;

    $self->{dbh}->do("DROP TABLE IF EXISTS $self->{table}");

    return;
}

=head2 note

    $scans->note($event_id);

Remembers an event that was sent and of which nothing is known yet.

=cut

sub note {
    my ( $self, $event_id ) = @_;

    $self->purge;
    $self->_insert( $event_id, 0, 'queued', undef );

    return;
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

Forgets events older than a day.

=cut

sub purge {
    my ($self) = @_;

    $self->{dbh}->do( "DELETE FROM $self->{table} WHERE stored_at < ?", undef, $self->{now}->() - $KEPT_S );

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
    my ( $self, $event_id, $seq, $state, $told ) = @_;

    my $now = $self->{now}->();
    my $sql
        = "INSERT INTO $self->{table} (event_id, seq, state, told, stored_at, ask_at) VALUES (?, ?, ?, ?, ?, ?)";

    local $self->{dbh}->{PrintError} = 0;
    my $inserted
        = eval { $self->{dbh}->do( $sql, undef, $event_id, $seq, $state, $told, $now, $now + $ASK_AFTER_S ); };
    my $error = $@;
    return 1 if $inserted;
    return 0 if defined $self->_stored_seq($event_id);

    die $error || "the event could not be stored\n";
}

1;

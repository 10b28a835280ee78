package Koha::Plugin::Org::PatronPassport::Event;

use Modern::Perl;

use Exporter    qw( import );
use Digest::SHA qw( sha256_hex );
use Mojo::JSON  qw( encode_json );
use POSIX       qw( floor strftime );
use Time::HiRes ();

our @EXPORT_OK = qw( cancelled consented is_id not_found seen status_requested test_event new_id timestamp );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Event - what the plugin sends to the receiver, as bytes

=head1 FUNCTIONS

=head2 not_found

    my $bytes = not_found( { card => $card, branch => 'MAIN', interface => 'staff', operator => 51, now => $now } );

The event of a card that this Koha does not know. C<item>, the barcode that waits to be checked out, is given only where
Koha itself does not go on with the checkout: only one of the two may check it out. C<now> is in Unix seconds, with a fraction.

=cut

sub not_found {
    my ($scan) = @_;

    my %data = (
        cardnumber => "$scan->{card}",
        branch     => "$scan->{branch}",
        interface  => $scan->{interface},
    );
    $data{operator}     = 0 + $scan->{operator} if ( $scan->{operator}   // q{} ) =~ m{\A [0-9]{1,15} \z}xms;
    $data{item_barcode} = "$scan->{item}"       if length( $scan->{item} // q{} );

    return _event( 'patron.not_found', \%data, $scan->{now} );
}

=head2 seen

    my $bytes = seen( $patron_id, $seen_at );

The event of a copy that was scanned: this Koha's number of it, and nothing else of the patron. C<$seen_at> is in Unix seconds, with
a fraction.

=cut

sub seen {
    my ( $patron_id, $seen_at ) = @_;

    return _event( 'patron.seen', { patron_id => 0 + $patron_id }, $seen_at );
}

=head2 cancelled

    my $bytes = cancelled($now);

What cancels an event: it is sent under that event's own id, and says nothing of the scan.

=cut

sub cancelled {
    my ($now) = @_;

    return _event( 'scan.cancelled', {}, $now );
}

=head2 consented

    my $bytes = consented( { answer => 'yes', text_id => $id, operator => $borrowernumber }, $now );

What the patron said when a member of staff showed them the text: it is sent under the event's own id.

=cut

sub consented {
    my ( $said, $now ) = @_;

    my $operator = $said->{operator};
    my %data     = (
        answer   => "$said->{answer}",
        text_id  => "$said->{text_id}",
        operator => defined $operator && $operator =~ m{\A [0-9]{1,15} \z}xms ? 0 + $operator : undef,
    );

    return _event( 'consent.answered', \%data, $now );
}

=head2 test_event

    my $bytes = test_event($now);

An event that the receiver answers and does not queue.

=cut

sub test_event {
    my ($now) = @_;

    return _event( 'passport.test', {}, $now );
}

=head2 status_requested

    my $bytes = status_requested( $since, $now );

What requests the status of this library, with the outcomes since then (in Unix seconds).

=cut

sub status_requested {
    my ( $since, $now ) = @_;

    return _event( 'library.status_requested', { since => timestamp($since) }, $now );
}

=head2 new_id

A new event's id: unique, and nothing to be read from it.

=cut

sub new_id {
    my $bytes = q{};
    if ( open my $random, '<:raw', '/dev/urandom' ) {
        read $random, $bytes, 16;
        close $random or $bytes = q{};
    }
    return 'scan_' . unpack 'H*', $bytes if length $bytes == 16;

    state $count = 0;
    return 'scan_' . substr sha256_hex( join q{.}, Time::HiRes::time(), $$, ++$count, rand ), 0, 32;
}

=head2 is_id

True for what can be an event's id.

=cut

sub is_id {
    my ($id) = @_;

    return !ref $id && ( $id // q{} ) =~ m{\A [A-Za-z0-9_-]{1,128} \z}xms;
}

=head2 timestamp

    my $text = timestamp($now);

RFC 3339 in the server's own time zone: "today" at the receiver is the date here.

=cut

sub timestamp {
    my ($now) = @_;

    my $milliseconds = floor( $now * 1000 );
    my $seconds      = floor( $milliseconds / 1000 );
    my @local        = localtime $seconds;
    my $offset       = strftime( '%z', @local );
    $offset =~ s{ ([0-9]{2}) \z}{:$1}xms;

    return sprintf '%s.%03d%s', strftime( '%Y-%m-%dT%H:%M:%S', @local ), $milliseconds % 1000, $offset;
}

sub _event {
    my ( $type, $data, $now ) = @_;

    return encode_json( { type => $type, timestamp => timestamp($now), data => $data } );
}

1;

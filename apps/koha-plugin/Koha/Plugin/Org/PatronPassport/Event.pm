package Koha::Plugin::Org::PatronPassport::Event;

use Modern::Perl;

use Exporter    qw( import );
use Digest::SHA qw( sha256_hex );
use Mojo::JSON  qw( encode_json );
use POSIX       qw( floor strftime );
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Shape qw( number );

our @EXPORT_OK = qw( consented decided event new_id not_found seen timestamp );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Event - what the plugin sends to the receiver, as bytes

=head1 FUNCTIONS

=head2 event

    my $bytes = event( 'passport.test', {}, $now );

An event of this type. C<$now> is in Unix seconds, with a fraction.

=cut

sub event {
    my ( $type, $data, $now ) = @_;

    return encode_json( { type => $type, timestamp => timestamp($now), data => $data } );
}

=head2 not_found

    my $bytes = not_found( { card => $card, branch => 'MAIN', interface => 'staff', operator => 51, now => $now } );

The event of a card that this Koha does not know. C<item>, the barcode that waits to be checked out, is given only where
Koha itself does not go on with the checkout: only one of the two may check it out. C<decides> is what whoever stands there can be asked
(L<Koha::Plugin::Org::PatronPassport::User/decides>), C<desk> where it was scanned (L<Koha::Plugin::Org::PatronPassport::Caller/desk_of>). C<now> is in Unix seconds, with a fraction.

=cut

sub not_found {
    my ($scan) = @_;

    my $operator = number()->( $scan->{operator} );
    my %data     = (
        cardnumber => "$scan->{card}",
        branch     => "$scan->{branch}",
        interface  => $scan->{interface},
    );
    $data{operator}     = $operator       if defined $operator;
    $data{decides}      = $scan->{decides} if $scan->{decides};
    $data{desk}         = "$scan->{desk}"  if defined $scan->{desk};
    $data{item_barcode} = "$scan->{item}"  if length( $scan->{item} // q{} );

    return event( 'patron.not_found', \%data, $scan->{now} );
}

=head2 seen

    my $bytes = seen( $patron_id, $seen_at );

The event of a copy that was scanned: this Koha's number of it, and nothing else of the patron. C<$seen_at> is in Unix seconds, with
a fraction.

=cut

sub seen {
    my ( $patron_id, $seen_at ) = @_;

    return event( 'patron.seen', { patron_id => 0 + $patron_id }, $seen_at );
}

=head2 consented

    my $bytes = consented( { answer => 'yes', text_id => $id, operator => $borrowernumber }, $now );

What the patron said when a member of staff showed them the text: it is sent under the event's own id.

=cut

sub consented {
    my ( $said, $now ) = @_;

    my %data = (
        answer   => "$said->{answer}",
        text_id  => "$said->{text_id}",
        operator => number()->( $said->{operator} ),
    );

    return event( 'consent.answered', \%data, $now );
}

=head2 decided

    my $bytes = decided( { question => 'HOME_CHOICE', option => 'midland', branch => 'MAIN', operator => 51 }, $now );

What staff have decided of a scan. C<$now> is in Unix seconds, with a fraction.

=cut

sub decided {
    my ( $said, $now ) = @_;

    my %data = ( map { $_ => "$said->{$_}" } qw( question option branch ) );
    $data{operator} = number()->( $said->{operator} );

    return event( 'scan.decided', \%data, $now );
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

1;

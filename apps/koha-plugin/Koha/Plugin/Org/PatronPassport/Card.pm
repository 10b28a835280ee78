package Koha::Plugin::Org::PatronPassport::Card;

use Modern::Perl;

use Exporter    qw( import );
use Digest::SHA qw( hmac_sha256_hex );
use List::Util  qw( any );
use Mojo::Util  qw( trim );

our @EXPORT_OK = qw( compiled fits scan_key trimmed );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Card - is what was scanned or typed shaped like a card number

=head1 FUNCTIONS

=head2 trimmed

The text without outer blanks, as the service compares it; an empty text for undef.

=cut

sub trimmed {
    my ($text) = @_;

    return trim( $text // q{} );
}

=head2 fits

    if ( fits( $text, \@patterns ) ) { ... }

True when the text can be a card: 1 to 32 characters, no control characters, and one of the patterns matches.
The names that staff type into the same box must not leave this Koha.

=cut

sub fits {
    my ( $text, $patterns ) = @_;

    my $card = trimmed($text);
    return 0 if $card eq q{} || length $card > 32 || $card =~ m{[[:cntrl:]]}xms;

    return ( any { $card =~ $_ } grep {defined} map { compiled($_) } @{$patterns} ) ? 1 : 0;
}

=head2 scan_key

    my $hash = scan_key( $card, $key, $desk );

By what two scans of one card at one desk (L<Koha::Plugin::Org::PatronPassport::Caller/desk_of>) are known to be of one: HMAC-SHA256
under the webhook secret. Nobody without the secret can infer the card from it.

=cut

sub scan_key {
    my ( $card, $key, $desk ) = @_;

    my $bytes = join "\n", trimmed($card), $desk // ();
    utf8::encode($bytes);

    return hmac_sha256_hex( $bytes, $key );
}

=head2 compiled

The pattern as a regular expression; undef when it is none. C<\d> is an ASCII digit, as it is in the browser.

=cut

sub compiled {
    my ($pattern) = @_;

    ## no critic (RequireExtendedFormatting RequireLineBoundaryMatching RequireDotMatchAnything)
    # the library's own pattern, as the browser reads the same one: no flag may change what it means
    local $SIG{__WARN__} = sub { };
    return eval {qr/(?^a:$pattern)/};
}

1;

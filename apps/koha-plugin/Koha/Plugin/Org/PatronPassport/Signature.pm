package Koha::Plugin::Org::PatronPassport::Signature;

use Modern::Perl;

use Exporter     qw( import );
use Digest::SHA  qw( hmac_sha256 );
use MIME::Base64 qw( decode_base64 encode_base64 );

our @EXPORT_OK = qw( headers_for key_of new_secret proof_of );

my $SECRET_BYTES = 32;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Signature - signs a delivery as Standard Webhooks 1.0 has it

=head1 FUNCTIONS

=head2 key_of

    my $key = key_of($secret);

The bytes of a secret written C<whsec_> + base64 of 24 to 64 bytes; undef when it is not written so.

=cut

sub key_of {
    my ($secret) = @_;

    my ($encoded) = ( $secret // q{} ) =~ m{\A whsec_ ( [A-Za-z0-9+/]+ ={0,2} ) \z}xms;
    return if !defined $encoded;

    # decode_base64 forgives; a key that two programs read differently would only show as 401
    my $key = decode_base64($encoded);
    return if encode_base64( $key, q{} ) ne $encoded;
    return if length $key < 24 || length $key > 64;

    return $key;
}

=head2 new_secret

    my $secret = new_secret();

A secret of 32 random bytes, as L</key_of> reads it. Dies where this machine has no random numbers.

=cut

sub new_secret {
    my $bytes;
    open my $random, '<:raw', '/dev/urandom' or die "no random numbers\n";
    my $read = read $random, $bytes, $SECRET_BYTES;
    close $random or die "no random numbers\n";
    die "no random numbers\n" if ( $read // 0 ) != $SECRET_BYTES;

    return 'whsec_' . encode_base64( $bytes, q{} );
}

=head2 headers_for

    my $headers = headers_for( $key, $id, $timestamp, $body );

The three headers of one delivery. C<$timestamp> is in Unix seconds, C<$body> the bytes that are sent.

=cut

sub headers_for {
    my ( $key, $id, $timestamp, $body ) = @_;

    return {
        'webhook-id'        => $id,
        'webhook-timestamp' => $timestamp,
        'webhook-signature' => 'v1,' . encode_base64( hmac_sha256( "$id.$timestamp.$body", $key ), q{} ),
    };
}

=head2 proof_of

    my $proof = proof_of( $key, $nonce );

Shows to whoever has the key, and has chosen the nonce, that it is the key of this plugin. What is signed contains no dot, as
everything that is signed for a delivery does: a proof can never be sent as the signature of an event.

=cut

sub proof_of {
    my ( $key, $nonce ) = @_;

    die "not a nonce\n" if $nonce !~ m{\A [A-Za-z0-9_-]{22,64} \z}xms;

    return encode_base64( hmac_sha256( "passport-proof:$nonce", $key ), q{} );
}

1;

package Koha::Plugin::Org::PatronPassport::JoinRequest;

use Modern::Perl;

use Exporter     qw( import );
use Digest::SHA  qw( hmac_sha256 sha256 );
use Encode       qw( decode );
use MIME::Base64 qw( encode_base64url );
use Mojo::JSON   qw( encode_json );

our @EXPORT_OK = qw( can_seal fingerprint join_request pasted );

=head1 NAME

Koha::Plugin::Org::PatronPassport::JoinRequest - what a library asks with to join (packages/contract/src/join.ts)

=head1 FUNCTIONS

=head2 can_seal

    if ( can_seal() ) { ... }

Whether this Koha has the module that its login by OAuth2 needs (C<Crypt::OpenSSL::RSA>, in its cpanfile since 22.11).

=cut

# Loaded where it is needed: without it the rest of the plugin works.
sub can_seal {
    return eval { require Crypt::OpenSSL::RSA; 1 } ? 1 : 0;
}

=head2 join_request

    my $request = join_request( $invitation, { koha => {...}, copy => {...}, cards => [...] },
        { client_id => $id, client_secret => $secret, webhook_secret => $whsec }, $now );

C<< { json => $bytes, fingerprint => '01234 ...' } >>: what is posted, or carried as a text (L</pasted>). The three secrets are in it only as
sealed to the key of the invitation, with the address that they are for: under another address the seal is worthless.

=cut

sub join_request {
    my ( $invitation, $said, $secrets, $now ) = @_;

    my %inside = (
        i => "$secrets->{client_id}",
        s => "$secrets->{client_secret}",
        w => $secrets->{webhook_secret},
        u => encode_base64url( sha256( $said->{koha}{url} ) ),
    );
    my $body = encode_json(
        {   v          => 1,
            invitation => $invitation->{invitation},
            sent_at    => 0 + $now,
            %{$said},
            sealed => encode_base64url( _sealed( $invitation->{key}, encode_json( \%inside ) ) ),
        }
    );
    my $mac = encode_base64url( hmac_sha256( $body, $invitation->{token} ) );

    return {
        json        => encode_json( { body => decode( 'UTF-8', $body ), mac => $mac } ),
        fingerprint => fingerprint($body),
    };
}

sub _sealed {
    my ( $pem, $bytes ) = @_;

    die "cannot seal\n" if !can_seal();
    my $key = Crypt::OpenSSL::RSA->new_public_key($pem);
    $key->use_pkcs1_oaep_padding;

    return $key->encrypt($bytes);
}

=head2 pasted

    my $text = pasted( $request->{json} );

The same as a text of letters that mail programs leave alone.

=cut

sub pasted {
    my ($json) = @_;

    return 'passport-join-request.' . encode_base64url($json);
}

=head2 fingerprint

    my $digits = fingerprint($body);

What two people read to each other: four groups of five digits, of the SHA-256 of the request's bytes five bytes each, as one number modulo 100,000.

=cut

sub fingerprint {
    my ($body) = @_;

    my @bytes  = unpack 'C20', sha256($body);
    my @groups = map {
        my $number = 0;
        $number = $number * 256 + $_ foreach splice @bytes, 0, 5;
        sprintf '%05d', $number % 100_000;
    } 1 .. 4;

    return join q{ }, @groups;
}

1;

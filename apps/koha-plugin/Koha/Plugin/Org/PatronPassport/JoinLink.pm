package Koha::Plugin::Org::PatronPassport::JoinLink;

use Modern::Perl;

use Exporter     qw( import );
use MIME::Base64 qw( decode_base64url encode_base64 );
use Mojo::JSON   qw( decode_json );

use Koha::Plugin::Org::PatronPassport::Settings;

# A link is about 1,200 characters long; nothing longer is decoded.
my $LONGEST = 4096;

my $LONGEST_NAME = 100;
my $VERSION      = 1;

# The algorithm rsaEncryption (1.2.840.113549.1.1.1), as it stands in a public key.
my $RSA = pack 'H*', '06092a864886f70d010101';

# What would show a name in another order than it is written.
my $UNSHOWN = qr{[[:cntrl:]\x{202A}-\x{202E}\x{2066}-\x{2069}]}xms;

our @EXPORT_OK = qw( parse_link );

=head1 NAME

Koha::Plugin::Org::PatronPassport::JoinLink - the link by which an operator invites a library (packages/contract/src/join.ts)

=head1 FUNCTIONS

=head2 parse_link

    my ( $invitation, $fault ) = parse_link( $pasted, $now );

What the link says (C<receiver>, C<invitation>, C<library>, C<name>, C<consortium>, C<ends> in Unix seconds, C<token> as bytes, C<key> as PEM), or
what is wrong with it, as a sentence of the page (L<Koha::Plugin::Org::PatronPassport::PageWords/filled>) that names the field. Nothing is
trusted by it: whoever made the link wrote every field, the names included. White space is not part of it, as mail programs break long lines.

=cut

sub parse_link {
    my ( $pasted, $now ) = @_;

    my $text = substr( $pasted // q{}, 0, 2 * $LONGEST ) =~ s{\s+}{}gxmsr;
    return _fault('join_fault_empty') if $text eq q{};
    return _fault('join_fault_long')  if length $text > $LONGEST;

    my ( $address, $fragment ) = $text =~ m{\A (https?://[^\#]+) [#] ([A-Za-z0-9_-]+) \z}xms;
    return _fault('join_fault_form') if !defined $fragment;

    my $said = eval { decode_json( decode_base64url($fragment) ) };
    return _fault('join_fault_form') if ref $said ne 'HASH';
    return _fault( 'join_fault_version', version => _shown( $said->{v} ) )
        if ( _text( $said->{v} ) // q{} ) ne $VERSION;

    return _invitation( $said, $address, $now );
}

sub _invitation {
    my ( $said, $address, $now ) = @_;

    my %is = map { $_ => _text( $said->{$_} ) // q{} }
        qw( receiver invitation library name consortium ends token key );
    my %fits = (
        receiver   => sub { return Koha::Plugin::Org::PatronPassport::Settings->is_address( $_[0] ) },
        library    => sub { return Koha::Plugin::Org::PatronPassport::Settings->is_library( $_[0] ) },
        invitation => sub { return $_[0] =~ m{\A inv_ [A-Za-z0-9_-]{22} \z}xms },
        ends       => sub { return $_[0] =~ m{\A [1-9][0-9]{0,10} \z}xms },
        name       => \&_is_name,
        consortium => \&_is_name,
        token      => sub { return $_[0] =~ m{\A [A-Za-z0-9_-]{43} \z}xms },
        key        => sub { return _is_key( $_[0] ) },
    );
    my ($wrong) = grep { !$fits{$_}->( $is{$_} ) } sort keys %fits;
    return _fault( 'join_fault_field', field => $wrong ) if defined $wrong;

    # a link that shows one host and has the page use another
    return _fault( 'join_fault_other', receiver => $is{receiver} ) if $address ne "$is{receiver}/join";
    return _fault('join_fault_ended')                              if $is{ends} <= $now;

    return { %is, token => decode_base64url( $is{token} ), key => _pem( $is{key} ) };
}

sub _is_name {
    my ($text) = @_;

    return length $text && length $text <= $LONGEST_NAME && $text !~ m{$UNSHOWN}xms ? 1 : 0;
}

# SubjectPublicKeyInfo of an RSA key of 3072 bits: whatever begins otherwise is none.
sub _is_key {
    my ($text) = @_;

    return $text =~ m{\A MII [A-Za-z0-9_-]{500,600} \z}xms
        && index( decode_base64url($text), $RSA ) > 0 ? 1 : 0;
}

sub _pem {
    my ($key) = @_;

    my $lines = encode_base64( decode_base64url($key) );

    return "-----BEGIN PUBLIC KEY-----\n$lines-----END PUBLIC KEY-----\n";
}

sub _text {
    my ($value) = @_;

    return defined $value && !ref $value ? "$value" : undef;
}

sub _shown {
    my ($value) = @_;

    return substr _text($value) // q{-}, 0, 20;
}

sub _fault {
    my ( $key, %values ) = @_;

    return ( undef, { key => $key, %values } );
}

1;

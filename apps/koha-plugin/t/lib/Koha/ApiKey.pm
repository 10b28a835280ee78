package Koha::ApiKey;

# Stands in for Koha's class in these tests: the secret is kept as a hash, and can be said only by the object that made it. As there,
# `store` needs Koha::ApiKeys (_generate_unused_uuid) and does not load it.

use Modern::Perl;

use C4::Context;
use Digest::SHA qw( sha256_hex );

# With their secrets, for the stand-in of a Koha, which has to know them.
our @MADE;

sub new {
    my ( $class, $row ) = @_;

    return bless { %{$row} }, $class;
}

sub store {
    my ($self) = @_;

    $self->{plain}     = _unused('secret');
    $self->{client_id} = _unused('client_id');
    C4::Context->dbh->do(
        'INSERT INTO api_keys (patron_id, client_id, secret, description) VALUES (?, ?, ?, ?)',
        undef,
        @{$self}{qw( patron_id client_id )},
        sha256_hex( $self->{plain} ),
        $self->{description}
    );

    push @MADE, { %{$self}{qw( patron_id client_id description )}, secret => $self->{plain} };

    return $self;
}

sub _unused {
    my ($column) = @_;

    my $uuid;
    do {
        $uuid = sprintf '%08x-0000-4000-8000-%012x', map { int rand 2**32 } 1 .. 2;
    } while Koha::ApiKeys->search( { $column => $uuid } )->count > 0;

    return $uuid;
}

sub delete {
    my ($self) = @_;

    C4::Context->dbh->do( 'DELETE FROM api_keys WHERE client_id = ?', undef, $self->{client_id} );
    @MADE = grep { $_->{client_id} ne $self->{client_id} } @MADE;

    return;
}

sub client_id {
    my ($self) = @_;

    return $self->{client_id};
}

sub plain_text_secret {
    my ($self) = @_;

    return $self->{plain};
}

1;

package Koha::Plugin::Org::PatronPassport::ApiKeys;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha::ApiKey;

# By it those that this plugin has made are known.
my $DESCRIPTION = 'Patron Passport';

our @EXPORT_OK = qw( keep_only make_key );

=head1 NAME

Koha::Plugin::Org::PatronPassport::ApiKeys - the API keys that this plugin makes for the user of the service

=head1 FUNCTIONS

=head2 make_key

    my $key = make_key($borrowernumber);

A new L<Koha::ApiKey> of that patron: only this object can say its secret.

=cut

sub make_key {
    my ($number) = @_;

    return Koha::ApiKey->new( { patron_id => $number, description => $DESCRIPTION } )->store;
}

=head2 keep_only

    keep_only( $borrowernumber, $client_id );

Revokes every other key that this plugin has made for that patron, so that what was shown on a screen, or sealed for a service that did not
take it, opens nothing. Keys of other programs stay.

=cut

sub keep_only {
    my ( $number, $client_id ) = @_;

    C4::Context->dbh->do(
        'UPDATE api_keys SET active = CASE WHEN client_id = ? THEN 1 ELSE 0 END WHERE patron_id = ? AND description = ?',
        undef, $client_id // q{}, $number, $DESCRIPTION
    );

    return;
}

1;

package Koha::Plugin::Org::PatronPassport::ApiKeys;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha::ApiKey;

# Koha::ApiKey's `store` calls it (_generate_unused_uuid) and does not load it: in a web worker that has served no call of the API yet,
# nobody else has.
use Koha::ApiKeys;

# By it those that this plugin has made are known.
my $DESCRIPTION = 'Patron Passport';

our @EXPORT_OK = qw( keep_only make_key revoke was_used );

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

    my @revoked = keep_only( $borrowernumber, $client_id );

Revokes every other key that this plugin has made for that patron, so that what was shown on a screen, or sealed for a service that did not
take it, opens nothing. Keys of other programs stay. The ids of those that were active until now.

=cut

sub keep_only {
    my ( $number, $client_id ) = @_;

    my $others
        = C4::Context->dbh->selectcol_arrayref(
        'SELECT client_id FROM api_keys WHERE patron_id = ? AND description = ? AND client_id <> ?',
        undef, $number, $DESCRIPTION, $client_id );

    return grep { revoke($_) } @{$others};
}

=head2 revoke

    my $is_changed = revoke($client_id);

The key opens nothing from then on. Koha looks at it only when it grants a token (Koha/OAuth.pm), and lets the token in for an hour: so what was granted for
the key goes, too. False where the key was revoked before.

=cut

sub revoke {
    my ($client_id) = @_;

    my $dbh = C4::Context->dbh;
    my $changed
        = $dbh->do( 'UPDATE api_keys SET active = 0 WHERE client_id = ? AND active = 1', undef, $client_id );
    $dbh->do( 'DELETE FROM oauth_access_tokens WHERE client_id = ?', undef, $client_id );

    return $changed > 0;
}

=head2 was_used

    if ( was_used($client_id) ) { ... }

Whether somebody has been granted a token for this key. Koha deletes one that has ended when it is used again: whoever used the key long ago may be forgotten.

=cut

sub was_used {
    my ($client_id) = @_;

    my ($count)
        = C4::Context->dbh->selectrow_array( 'SELECT COUNT(*) FROM oauth_access_tokens WHERE client_id = ?',
        undef, $client_id );

    return $count > 0;
}

1;

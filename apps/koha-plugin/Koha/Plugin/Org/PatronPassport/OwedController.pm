package Koha::Plugin::Org::PatronPassport::OwedController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

__PACKAGE__->serves( list => [ 'GET /owed', 'service' ], );

=head1 NAME

Koha::Plugin::Org::PatronPassport::OwedController - the route /api/v1/contrib/passport/owed

=head1 METHODS

=head2 list

C<GET /owed>: the copies with overdue checkouts or debts, in pages by the patron's number.

=cut

sub list {
    my ( $self, $plugin ) = @_;

    return $self->ok( $plugin->copies->owed( $self->params(qw( home_key_type after limit )) ) );
}

1;

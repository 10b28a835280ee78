package Koha::Plugin::Org::PatronPassport::OwedController;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Answer qw( answer );

=head1 NAME

Koha::Plugin::Org::PatronPassport::OwedController - the route /api/v1/contrib/passport/owed

=head1 METHODS

=head2 list

C<GET /owed>: the copies with overdue checkouts or debts, in pages by the patron's number.

=cut

sub list {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'GET /owed',
        sub {
            my ($plugin) = @_;
            my %wanted = map { $_ => $c->param($_) } qw( home_key_type after limit );
            return $c->render( status => 200, openapi => $plugin->copies->owed( \%wanted ) );
        },
        'service'
    );
}

1;

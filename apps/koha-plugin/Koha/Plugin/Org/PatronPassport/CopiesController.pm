package Koha::Plugin::Org::PatronPassport::CopiesController;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Answer  qw( answer );
use Koha::Plugin::Org::PatronPassport::Refusal qw( is_json not_json );

=head1 NAME

Koha::Plugin::Org::PatronPassport::CopiesController - the routes under /api/v1/contrib/passport/copies

=head1 METHODS

=head2 list

C<GET /copies>: what the service wrote into copies, in pages by the patron's number.

=cut

sub list {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'GET /copies',
        sub {
            my %wanted = map { $_ => $c->param($_) } qw( after up_to limit );
            return $c->render( status => 200, openapi => { copies => _copies()->page( \%wanted ) } );
        }
    );
}

=head2 keep

C<PUT /copies/{patron_id}>: the service has written into this copy. 409 when somebody else stored the row since it was read.

=cut

sub keep {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'PUT /copies/{patron_id}', sub { return _keep($c) } );
}

sub _keep {
    my ($c) = @_;

    my $version = _copies()->keep( $c->param('patron_id'), $c->req->json );
    return $c->render( status => 200, openapi => { version => $version } ) if defined $version;

    return $c->render(
        status  => 409,
        openapi => { error => 'The row was stored by somebody else since', error_code => 'other_version' }
    );
}

sub _copies {
    return Koha::Plugin::Org::PatronPassport->new( { enable_plugins => 1 } )->copies;
}

1;

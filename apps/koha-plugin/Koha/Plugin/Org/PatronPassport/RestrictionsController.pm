package Koha::Plugin::Org::PatronPassport::RestrictionsController;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use C4::Context;
use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Answer  qw( answer );
use Koha::Plugin::Org::PatronPassport::Refusal qw( is_json not_json );
use Koha::Plugin::Org::PatronPassport::Restrictions;

my %REFUSAL = (
    not_found  => [ 404, 'There is no such patron' ],
    anonymized => [ 409, 'The patron is anonymised' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::RestrictionsController - the routes under /api/v1/contrib/passport/restrictions

=head1 METHODS

=head2 list

C<GET /restrictions/{kind}>: the restrictions of this kind that the service has set, in pages.

=cut

sub list {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'GET /restrictions',
        sub {
            my %wanted = map { $_ => $c->param($_) } qw( after limit );
            my $rows   = _restrictions()->page( $c->param('kind'), \%wanted );
            return $c->render( status => 200, openapi => { restrictions => $rows } );
        },
        'service'
    );
}

=head2 set

C<PUT /restrictions/{kind}/{library}/{patron_id}>

=cut

sub set {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'PUT /restrictions',
        sub { return _done( $c, _restrictions()->set( _which($c), $c->req->json->{until} ) ) }, 'service'
    );
}

=head2 lift

C<DELETE /restrictions/{kind}/{library}/{patron_id}>: 204 also where it was lifted before.

=cut

sub lift {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'DELETE /restrictions',
        sub { return _done( $c, _restrictions()->lift( _which($c) ) ) }, 'service'
    );
}

sub _which {
    my ($c) = @_;

    return { map { $_ => $c->param($_) } qw( kind library patron_id ) };
}

sub _done {
    my ( $c, $result ) = @_;

    my $refusal = $REFUSAL{$result};
    return $c->render( status => 204, openapi => undef ) if !$refusal;

    my ( $status, $error ) = @{$refusal};

    return $c->render( status => $status, openapi => { error => $error, error_code => $result } );
}

sub _restrictions {
    return Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => C4::Context->dbh } );
}

1;

package Koha::Plugin::Org::PatronPassport::RestrictionsController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use C4::Context;
use Koha::Plugin::Org::PatronPassport::Restrictions;
use Koha::Plugin::Org::PatronPassport::User qw( may_see );

my %REFUSAL = (
    not_found  => [ 404, 'not_found',  'There is no such patron' ],
    anonymized => [ 409, 'anonymized', 'The patron is anonymised' ],
);

__PACKAGE__->serves(
    list => [ 'GET /restrictions',    'service' ],
    set  => [ 'PUT /restrictions',    'service' ],
    lift => [ 'DELETE /restrictions', 'service' ],
    list_of_patron => [ 'GET /patrons/{patron_id}/restrictions', 'service' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::RestrictionsController - the routes under /api/v1/contrib/passport/restrictions, and a patron's own restrictions

=head1 METHODS

=head2 list

C<GET /restrictions/{kind}>: the restrictions of this kind that the service has set, in pages.

=cut

sub list {
    my ($self) = @_;

    my $rows = _restrictions()->page( $self->param('kind'), $self->params(qw( after limit )) );

    return $self->ok( { restrictions => $rows } );
}

=head2 set

C<PUT /restrictions/{kind}/{library}/{patron_id}>

=cut

sub set {
    my ($self) = @_;

    my $which = $self->_which;
    my $how   = $self->req->json;
    return $self->fault('no_comment') if defined $how->{comment} && $which->{kind} ne 'home';

    return $self->_came_to( _restrictions()->set( $which, $how ) );
}

=head2 lift

C<DELETE /restrictions/{kind}/{library}/{patron_id}>: 204 also where it was lifted before.

=cut

sub lift {
    my ($self) = @_;

    return $self->_came_to( _restrictions()->lift( $self->_which ) );
}

=head2 list_of_patron

C<GET /patrons/{patron_id}/restrictions>: type and end of each that is in force, and with C<comments> what staff have noted. Nobody has none, and
neither has a patron whom Koha hides from the service's user.

=cut

sub list_of_patron {
    my ($self) = @_;

    my $number = $self->param('patron_id');
    # A boolean, or its text where nothing has made one of it.
    my $wanted = { comments => ( $self->param('comments') // q{} ) =~ m{\A (?: 1 | true ) \z}xms ? 1 : 0 };
    my $rows   = may_see($number) ? _restrictions()->of_patron( $number, $wanted ) : [];

    return $self->ok( { restrictions => $rows } );
}

sub _which {
    my ($self) = @_;

    return $self->params(qw( kind library patron_id ));
}

sub _came_to {
    my ( $self, $result ) = @_;

    my $refusal = $REFUSAL{$result};

    return $refusal ? $self->refuse( @{$refusal} ) : $self->done;
}

sub _restrictions {
    return Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => C4::Context->dbh } );
}

1;

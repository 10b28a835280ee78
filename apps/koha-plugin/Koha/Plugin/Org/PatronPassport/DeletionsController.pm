package Koha::Plugin::Org::PatronPassport::DeletionsController;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use C4::Context;
use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Answer qw( answer );
use Koha::Plugin::Org::PatronPassport::Deletions;
use Koha::Plugin::Org::PatronPassport::Refusal qw( is_json not_json );

my %REFUSAL = (
    gone          => [ 404, 'not_found', 'There is no such patron' ],
    not_this_copy =>
        [ 409, 'not_this_copy', 'The patron is not a copy with this home key that the service made' ],
    blocked => [ 409, 'blocked', 'Something keeps this patron' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::DeletionsController - the routes under /api/v1/contrib/passport/deletions

=head1 METHODS

=head2 list

C<GET /deletions>: for each of these patrons what keeps it, and when it was last used.

=cut

sub list {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'GET /deletions',
        sub {
            my $deletions = _deletions(@_);
            my @patrons   = map { $deletions->describe($_) } split m{,}xms, $c->param('patron_ids');
            return $c->render( status => 200, openapi => { patrons => \@patrons } );
        },
        'service'
    );
}

=head2 add

C<POST /deletions>: deletes one copy, after it was checked again.

=cut

sub add {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'POST /deletions', sub { return _add( $c, @_ ) }, 'service' );
}

sub _add {
    my ( $c, $plugin ) = @_;

    my $body   = $c->req->json;
    my $key    = { type => $body->{home_key_type}, value => $body->{home_key} };
    my $result = _deletions($plugin)->remove( $body->{patron_id}, $key );
    return $c->render( status => 204, openapi => undef ) if $result->{kind} eq 'deleted';

    my ( $status, $code, $error ) = @{ $REFUSAL{ $result->{kind} } };

    return $c->render(
        status  => $status,
        openapi => { error => $error, error_code => $code, blocks => $result->{blocks} // [] }
    );
}

sub _deletions {
    my ($plugin) = @_;

    return Koha::Plugin::Org::PatronPassport::Deletions->new(
        { dbh => C4::Context->dbh, copies => $plugin->copies } );
}

1;

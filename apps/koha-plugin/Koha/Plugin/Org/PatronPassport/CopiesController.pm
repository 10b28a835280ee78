package Koha::Plugin::Org::PatronPassport::CopiesController;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use C4::Context;
use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Answer  qw( answer );
use Koha::Plugin::Org::PatronPassport::Refusal qw( is_json not_json );
use Koha::Plugin::Org::PatronPassport::Restrictions;

=head1 NAME

Koha::Plugin::Org::PatronPassport::CopiesController - the routes under /api/v1/contrib/passport/copies

=head1 METHODS

=head2 list

C<GET /copies>: what the service wrote into copies, in pages by the patron's number, and for which home libraries it has
restricted them.

=cut

sub list {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'GET /copies',
        sub {
            my ($plugin) = @_;
            my %wanted   = map { $_ => $c->param($_) } qw( after up_to limit );
            my $rows     = $plugin->copies->page( \%wanted );
            _add_restrictions($rows) if @{$rows};
            return $c->render( status => 200, openapi => { copies => $rows } );
        },
        'service'
    );
}

=head2 keep

C<PUT /copies/{patron_id}>: the service has written into this copy. 409 when somebody else stored the row since it was read.

=cut

sub keep {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'PUT /copies/{patron_id}', sub { return _keep( $c, @_ ) }, 'service' );
}

sub _keep {
    my ( $c, $plugin ) = @_;

    my $version = $plugin->copies->keep( $c->param('patron_id'), $c->req->json );
    return $c->render( status => 200, openapi => { version => $version } ) if defined $version;

    return $c->render(
        status  => 409,
        openapi => { error => 'The row was stored by somebody else since', error_code => 'other_version' }
    );
}

sub _add_restrictions {
    my ($rows) = @_;

    my $restricted = Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => C4::Context->dbh } )
        ->libraries_of( 'home', $rows->[0]{patron_id}, $rows->[-1]{patron_id} );
    $_->{restricted_at} = $restricted->{ $_->{patron_id} } // [] foreach @{$rows};

    return;
}

1;

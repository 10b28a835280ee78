package Koha::Plugin::Org::PatronPassport::CopiesController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use C4::Context;
use Koha::Plugin::Org::PatronPassport::Notice qw( queue_notice );
use Koha::Plugin::Org::PatronPassport::Restrictions;

__PACKAGE__->serves(
    list => [ 'GET /copies',             'service' ],
    keep => [ 'PUT /copies/{patron_id}', 'service' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::CopiesController - the routes under /api/v1/contrib/passport/copies

=head1 METHODS

=head2 list

C<GET /copies>: what the service wrote into copies, in pages by the patron's number, and for which home libraries it has
restricted them.

=cut

sub list {
    my ( $self, $plugin ) = @_;

    my $rows = $plugin->copies->page( $self->params(qw( after up_to limit )) );
    if ( @{$rows} ) {
        my $restricted
            = Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => C4::Context->dbh } )
            ->libraries_of( 'home', $rows->[0]{patron_id}, $rows->[-1]{patron_id} );
        $_->{restricted_at} = $restricted->{ $_->{patron_id} } // [] foreach @{$rows};
    }

    return $self->ok( { copies => $rows } );
}

=head2 keep

C<PUT /copies/{patron_id}>: the service has written into this copy, or has made it (C<made>). 409 when somebody else stored the row since it was read.

=cut

sub keep {
    my ( $self, $plugin ) = @_;

    my $tell    = sub { return queue_notice( $plugin, @_ ) };
    my $version = $plugin->copies->keep( $self->param('patron_id'), $self->req->json, $tell );

    return defined $version ? $self->ok( { version => $version } ) : $self->fault('other_version');
}

1;

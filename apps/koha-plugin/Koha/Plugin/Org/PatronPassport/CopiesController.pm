package Koha::Plugin::Org::PatronPassport::CopiesController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use C4::Context;
use Koha::Plugin::Org::PatronPassport::Notice qw( queue_notice );
use Koha::Plugin::Org::PatronPassport::Restrictions;

__PACKAGE__->serves(
    list => [ 'GET /copies',             'service' ],
    keep => [ 'PUT /copies/{patron_id}', 'service' ],
    note_checked => [ 'PUT /copies', 'service' ],
    standing => [ 'GET /copies/{patron_id}/standing', 'staff' ],
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
        my $restrictions = Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => C4::Context->dbh } );
        foreach my $what ( [ home => 'restricted_at' ], [ standing => 'standing_at' ] ) {
            my ( $kind, $name ) = @{$what};
            my $libraries
                = $restrictions->libraries_of( $kind, $rows->[0]{patron_id}, $rows->[-1]{patron_id} );
            $_->{$name} = $libraries->{ $_->{patron_id} } // [] foreach @{$rows};
        }
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

=head2 note_checked

C<PUT /copies>: the service has checked the standing of these copies, which is as it was.

=cut

sub note_checked {
    my ( $self, $plugin ) = @_;

    $plugin->copies->note_checked( $self->req->json->{checked} );

    return $self->done;
}

=head2 standing

C<GET /copies/{patron_id}/standing>: what the desk is shown of a copy; 404 too where the user may not see the patron.

=cut

sub standing {
    my ( $self, $plugin ) = @_;

    my $standing = $plugin->copies->standing_of( { borrowernumber => $self->param('patron_id') } );

    return $standing ? $self->ok($standing) : $self->fault('no_standing');
}

1;

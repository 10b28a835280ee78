package Koha::Plugin::Org::PatronPassport::DeletionsController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use C4::Context;
use Koha::Plugin::Org::PatronPassport::Deletions;

my %REFUSAL = (
    gone          => [ 404, 'not_found', 'There is no such patron' ],
    not_this_copy =>
        [ 409, 'not_this_copy', 'The patron is not a copy with this home key that the service made' ],
    blocked => [ 409, 'blocked', 'Something keeps this patron' ],
);

__PACKAGE__->serves(
    list => [ 'GET /deletions',  'service' ],
    add  => [ 'POST /deletions', 'service' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::DeletionsController - the routes under /api/v1/contrib/passport/deletions

=head1 METHODS

=head2 list

C<GET /deletions>: for each of these patrons what keeps it, and when it was last used.

=cut

sub list {
    my ( $self, $plugin ) = @_;

    my $deletions = _deletions($plugin);
    my @patrons   = map { $deletions->describe($_) } split m{,}xms, $self->param('patron_ids');

    return $self->ok( { patrons => \@patrons } );
}

=head2 add

C<POST /deletions>: deletes one copy, after it was checked again.

=cut

sub add {
    my ( $self, $plugin ) = @_;

    my $body   = $self->req->json;
    my $key    = { type => $body->{home_key_type}, value => $body->{home_key} };
    my $result = _deletions($plugin)->remove( $body->{patron_id}, $key );
    return $self->done if $result->{kind} eq 'deleted';

    return $self->refuse( @{ $REFUSAL{ $result->{kind} } }, { blocks => $result->{blocks} // [] } );
}

sub _deletions {
    my ($plugin) = @_;

    return Koha::Plugin::Org::PatronPassport::Deletions->new(
        { dbh => C4::Context->dbh, copies => $plugin->copies } );
}

1;

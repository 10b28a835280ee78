package Koha::Plugin::Org::PatronPassport::Answer;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::Problem qw( report );

our @EXPORT_OK = qw( answer );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Answer - how every route ends

=head1 FUNCTIONS

=head2 answer

    return answer( $c, 'GET /about', sub { ... } );

Does the work of a route. Koha's own last resort would log the text of an error, and a database's error can contain the
values of a statement.

=cut

sub answer {
    my ( $c, $what, $work ) = @_;

    return 1 if eval { $work->(); 1 };

    report( $what, $@ );
    return $c->render(
        status  => 500,
        openapi => { error => 'Something went wrong', error_code => 'internal_server_error' }
    );
}

1;

package Koha::Plugin::Org::PatronPassport::Answer;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::Problem qw( report );
use Koha::Plugin::Org::PatronPassport::Refusal qw( fault );

our @EXPORT_OK = qw( answer is_service_user );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Answer - whom a route serves, and how every route ends

=head1 FUNCTIONS

=head2 answer

    return answer( $c, 'POST /scans', sub { my ($plugin) = @_; ... } );
    return answer( $c, 'GET /about',  sub { ... }, 'key' );
    return answer( $c, 'GET /copies', sub { ... }, 'service' );

Does the work of a route with the plugin, which has to be there and enabled: Koha itself learns of both only when it is started
again. C<key> serves nobody by the session's cookie or by a password, only whoever has an API key; C<service> serves only the user of the
service, whom the configuration page names: staff can make keys for themselves.

Koha's own last resort would log the text of an error, and a database's error can contain the values of a statement.

=cut

sub answer {
    my ( $c, $what, $work, $for ) = @_;

    return fault( $c, 'no_key' ) if $for && !_has_key($c);

    my $is_answered = eval {
        my $plugin = Koha::Plugin::Org::PatronPassport->running;
        if    ( !$plugin ) { fault( $c, 'plugin_disabled' ) }
        elsif ( ( $for // q{} ) eq 'service' && !is_service_user( $c, $plugin ) ) {
            fault( $c, 'not_the_service' );
        }
        else { $work->($plugin) }
        1;
    };
    return 1 if $is_answered;

    report( $what, $@ );
    return $c->render(
        status  => 500,
        openapi => { error => 'Something went wrong', error_code => 'internal_server_error' }
    );
}

# Koha has checked it, and looks at no cookie beside it (Koha/REST/V1/Auth.pm, authenticate_api_request).
sub _has_key {
    my ($c) = @_;

    return ( $c->req->headers->authorization // q{} ) =~ m{\A Bearer [ ] }xms;
}

=head2 is_service_user

    if ( is_service_user( $c, $plugin ) ) { ... }

True for the user whom the configuration page names as the service's.

=cut

sub is_service_user {
    my ( $c, $plugin ) = @_;

    my $user   = $c->stash('koha.user');
    my $wanted = $plugin->settings->{service_user};

    return $user && length $wanted && $user->borrowernumber == $wanted ? 1 : 0;
}

1;

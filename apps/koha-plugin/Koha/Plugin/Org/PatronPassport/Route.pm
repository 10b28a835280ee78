package Koha::Plugin::Org::PatronPassport::Route;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use Mojo::Util qw( monkey_patch );

use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Problem qw( report );

# How the routes say no, and whether trying again is of use (503).
my %FAULT = (
    not_configured       => [ 503, 'The passport service is not set up here' ],
    no_library           => [ 400, 'You are logged in without a library' ],
    not_a_card           => [ 422, 'This is not shaped like a card number' ],
    item_here            => [ 422, 'This is the barcode of an item here' ],
    other_event          => [ 400, 'The state is of another event' ],
    receiver_unreachable => [ 503, 'The passport service cannot be reached' ],
    receiver_busy        => [ 503, 'The passport service is busy' ],
    receiver_refused     => [ 502, 'The passport service refuses this library' ],
    plugin_disabled      => [ 404, 'The plugin is not enabled here' ],
    no_key               => [ 403, 'This takes the token of an API key only' ],
    not_the_service      =>
        [ 403, 'This serves only the user whom the plugin is configured with as the service\'s' ],
    not_json              => [ 415, 'This takes application/json only' ],
    not_allowed           => [ 403, 'This takes the permission force_checkout' ],
    other_branch          => [ 403, 'The scan was made at another library' ],
    no_question           => [ 409, 'This scan does not wait for the answer' ],
    not_found             => [ 404, 'Nothing is known of this scan' ],
    no_standing           => [ 404, 'Nothing is known of the standing of this patron' ],
    not_seen              => [ 404, 'The passport service has not seen this scan' ],
    not_kept              => [ 404, 'The passport service does not know this scan any more' ],
    no_comment            => [ 400, 'Only a restriction for the home library has a comment' ],
    no_days               => [ 400, 'These are no days, or more than 31' ],
    no_statistics         => [ 409, 'This Koha keeps no statistics' ],
    other_version         => [ 409, 'The row was stored by somebody else since' ],
    internal_server_error => [ 500, 'Something went wrong' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::Route - whom a route serves, and how every route ends

=head1 DESCRIPTION

What all controllers of the plugin's routes are derived from.

=head1 METHODS

=head2 serves

    __PACKAGE__->serves(
        list => [ 'GET /copies', 'service' ],
        ...
    );

Whom the actions of a controller serve, and what they are called in the log. Each is called with the plugin, which has to be there and
enabled: Koha itself learns of both only when it is started again. C<staff> is whoever Koha lets use the route; C<key> serves nobody by
the session's cookie or by a password, only whoever has an API key; C<service> serves only the user of the service, whom the configuration
page names: staff can make keys for themselves.

Koha's API reads a body as JSON whatever its type is said to be. A form on any page of the web can send text that reads like
JSON, with the session's cookie; but it cannot say that it is C<application/json> without this Koha's consent. So what has a
body has to say so.

Koha's own last resort would log the text of an error, and a database's error can contain the values of a statement.

=cut

sub serves {
    my ( $class, %actions ) = @_;

    foreach my $name ( keys %actions ) {
        my ( $what, $whom ) = @{ $actions{$name} };
        my $work = $class->can($name);
        monkey_patch(
            $class,
            $name => sub {
                my ($self) = @_;
                return $self->_serve( $what, $whom, $work );
            }
        );
    }

    return;
}

sub _serve {
    my ( $self, $what, $whom, $work ) = @_;

    return $self->fault('not_json') if $self->req->method =~ m{\A P (?: OS | U ) T \z}xms && !$self->_is_json;
    return                          if !$self->openapi->valid_input;
    return $self->fault('no_key')   if $whom ne 'staff' && !$self->_has_key;

    my $is_answered = eval {
        my $plugin = Koha::Plugin::Org::PatronPassport->running;
        if    ( !$plugin )                                               { $self->fault('plugin_disabled') }
        elsif ( $whom eq 'service' && !$self->is_service_user($plugin) ) { $self->fault('not_the_service') }
        else                                                             { $self->$work($plugin) }
        1;
    };
    return 1 if $is_answered;

    report( $what, $@ );
    return $self->fault('internal_server_error');
}

sub _is_json {
    my ($self) = @_;

    return ( $self->req->headers->content_type // q{} ) =~ m{\A \s* application/json \s* (?: ; | \z )}xmsi;
}

# Koha has checked it, and looks at no cookie beside it (Koha/REST/V1/Auth.pm, authenticate_api_request).
sub _has_key {
    my ($self) = @_;

    return ( $self->req->headers->authorization // q{} ) =~ m{\A Bearer [ ] }xms;
}

=head2 is_service_user

    if ( $self->is_service_user($plugin) ) { ... }

True for the user whom the configuration page names as the service's.

=cut

sub is_service_user {
    my ( $self, $plugin ) = @_;

    my $user   = $self->stash('koha.user');
    my $wanted = $plugin->settings->{service_user};

    return $user && length $wanted && $user->borrowernumber == $wanted ? 1 : 0;
}

=head2 params

    my $wanted = $self->params(qw( after limit ));

These parameters of the request by name, undef for those that were not sent.

=cut

sub params {
    my ( $self, @names ) = @_;

    return { map { $_ => $self->param($_) } @names };
}

=head2 ok, done

    return $self->ok( { copies => $rows } );
    return $self->done;

200 with these facts, 204 without any.

=cut

sub ok {
    my ( $self, $facts ) = @_;

    return $self->render( status => 200, openapi => $facts );
}

sub done {
    my ($self) = @_;

    return $self->render( status => 204, openapi => undef );
}

=head2 refuse

    return $self->refuse( 409, 'blocked', 'Something keeps this patron', { blocks => $blocks } );

=cut

sub refuse {
    my ( $self, $status, $code, $error, $more ) = @_;

    return $self->render(
        status  => $status,
        openapi => { %{ $more // {} }, error => $error, error_code => $code }
    );
}

=head2 fault

    return $self->fault( 'receiver_busy', $retry_after_seconds, { event_id => $event_id } );

Refuses with one of the codes that are named in this module.

=cut

sub fault {
    my ( $self, $code, $retry_after, $more ) = @_;

    my ( $status, $error ) = @{ $FAULT{$code} };
    $self->res->headers->header( 'Retry-After' => $retry_after ) if defined $retry_after;

    return $self->refuse( $status, $code, $error, $more );
}

=head2 not_taken

    return $self->not_taken( $answer, $event_id );

What the receiver's answer to an event that it did not take means at the desk
(L<Koha::Plugin::Org::PatronPassport::Sender>). C<$event_id> is named where nobody answered, or where the receiver cannot say: it
may have been taken, so that whoever cancels has to name it.

=cut

sub not_taken {
    my ( $self, $answer, $event_id ) = @_;

    my ( $status, $retry_after ) = @{$answer}{qw( status retry_after )};
    my $named = defined $event_id ? { event_id => $event_id } : {};
    return $self->fault( 'receiver_unreachable', $retry_after, $named ) if $answer->{kind} eq 'unreachable';
    return $self->fault('not_a_card')                                   if $status == 422;
    return $self->fault( 'receiver_busy', $retry_after )                if $status == 429;
    return $self->fault( 'receiver_busy', $retry_after, $named )        if $status == 503;
    return $self->fault( 'receiver_unreachable', undef, $named )        if $status >= 500;

    warn "Patron Passport: the receiver refused an event (status $status)\n";
    return $self->fault('receiver_refused');
}

1;

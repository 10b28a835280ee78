package Koha::Plugin::Org::PatronPassport::Refusal;

use Modern::Perl;

use Exporter qw( import );

our @EXPORT_OK = qw( fault is_json not_json not_taken );

# What the desk is answered when an event could not be sent, and whether trying again is of use (503).
my %FAULT = (
    not_configured       => [ 503, 'The passport service is not set up here' ],
    no_library           => [ 400, 'You are logged in without a library' ],
    not_a_card           => [ 422, 'This is not shaped like a card number' ],
    receiver_unreachable => [ 503, 'The passport service cannot be reached' ],
    receiver_busy        => [ 503, 'The passport service is busy' ],
    receiver_refused     => [ 502, 'The passport service refuses this library' ],
    plugin_disabled      => [ 404, 'The plugin is not enabled here' ],
    no_key               => [ 403, 'This takes the token of an API key only' ],
    not_the_service      =>
        [ 403, 'This serves only the user whom the plugin is configured with as the service\'s' ],
    not_json    => [ 415, 'This takes application/json only' ],
    no_question => [ 409, 'This scan does not wait for the answer' ],
    not_found   => [ 404, 'Nothing is known of this scan' ],
    not_seen    => [ 404, 'The passport service has not seen this scan' ],
    not_kept    => [ 404, 'The passport service does not know this scan any more' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::Refusal - how the routes say no

=head1 FUNCTIONS

=head2 fault

    return fault( $c, 'receiver_busy', $retry_after_seconds, { event_id => $event_id } );

=cut

sub fault {
    my ( $c, $code, $retry_after, $more ) = @_;

    my ( $status, $error ) = @{ $FAULT{$code} };
    $c->res->headers->header( 'Retry-After' => $retry_after ) if defined $retry_after;

    return $c->render(
        status  => $status,
        openapi => { %{ $more // {} }, error => $error, error_code => $code }
    );
}

=head2 not_taken

    return not_taken( $c, $answer, $event_id );

What the receiver's answer to an event that it did not take means at the desk
(L<Koha::Plugin::Org::PatronPassport::Sender>). C<$event_id> is named where nobody answered, or where the receiver cannot say: it
may have been taken, so that whoever cancels has to name it.

=cut

sub not_taken {
    my ( $c, $answer, $event_id ) = @_;

    my $named = defined $event_id ? { event_id => $event_id } : {};
    return fault( $c, 'receiver_unreachable', $answer->{retry_after}, $named )
        if $answer->{kind} eq 'unreachable';

    my $status = $answer->{status};
    return fault( $c, 'not_a_card' )                                    if $status == 422;
    return fault( $c, 'receiver_busy', $answer->{retry_after} )         if $status == 429;
    return fault( $c, 'receiver_busy', $answer->{retry_after}, $named ) if $status == 503;
    return fault( $c, 'receiver_unreachable', undef, $named )           if $status >= 500;

    warn "Patron Passport: the receiver refused an event (status $status)\n";
    return fault( $c, 'receiver_refused' );
}

=head2 is_json, not_json

    return not_json($c) if !is_json($c);

Koha's API reads a body as JSON whatever its type is said to be. A form on any page of the web can send text that reads
like JSON, with the session's cookie; but it cannot say that it is C<application/json> without this Koha's consent.

=cut

sub is_json {
    my ($c) = @_;

    return ( $c->req->headers->content_type // q{} ) =~ m{\A \s* application/json \s* (?: ; | \z )}xmsi;
}

sub not_json {
    my ($c) = @_;

    return fault( $c, 'not_json' );
}

1;

package Koha::Plugin::Org::PatronPassport::FollowUpController;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use C4::Context;
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Answer  qw( answer );
use Koha::Plugin::Org::PatronPassport::Event   qw( cancelled consented );
use Koha::Plugin::Org::PatronPassport::Refusal qw( fault is_json not_json not_taken );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::State qw( cleaned is_state_of );

=head1 NAME

Koha::Plugin::Org::PatronPassport::FollowUpController - what the desk sends after an event, under
/api/v1/contrib/passport/scans/{event_id}

=head1 METHODS

=head2 cancel

C<POST /scans/{event_id}/cancel>: has the service cancel an event, and hands on what it came to. As sending an event does, it
requires C<application/json>.

=cut

sub cancel {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'POST /scans/{event_id}/cancel', sub { return _cancel( $c, @_ ) } );
}

sub _cancel {
    my ( $c, $plugin ) = @_;

    my $settings = $plugin->settings;
    return fault( $c, 'not_configured' ) if !$settings->is_complete;

    my $event_id = $c->param('event_id');
    my $answer   = Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->cancel( $event_id, cancelled( Time::HiRes::time() ) );
    return fault( $c, _unknown($answer) ) if ( $answer->{status} // 0 ) == 404;
    return not_taken( $c, $answer )       if $answer->{kind} ne 'cancelled';

    # of a double scan it is the state of the first event
    my $state = cleaned( $answer->{state} );
    $plugin->scans->keep($state) if is_state_of( $state, $state->{event_id} );

    return $c->render(
        status  => 200,
        openapi => { event_id => $state->{event_id}, result => $answer->{result}, state => $state }
    );
}

# A service of an earlier version does not say which; one that cannot cancel says it of every event.
sub _unknown {
    my ($answer) = @_;

    my $reason = $answer->{reason} // q{};

    return $reason =~ m{\A not_ (?: seen | kept ) \z}xms ? $reason : 'not_found';
}

=head2 consent

C<POST /scans/{event_id}/consent>: what the patron said to the text that the desk has shown them. The service gets this Koha's
number of the member of staff with it.

=cut

sub consent {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'POST /scans/{event_id}/consent', sub { return _consent( $c, @_ ) } );
}

sub _consent {
    my ( $c, $plugin ) = @_;

    my $settings = $plugin->settings;
    return fault( $c, 'not_configured' ) if !$settings->is_complete;

    my $body   = $c->req->json;
    my $acting = C4::Context->userenv // {};
    my %said   = ( answer => $body->{answer}, text_id => $body->{text_id}, operator => $acting->{number} );
    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->consent( $c->param('event_id'), consented( \%said, Time::HiRes::time() ) );
    my $status = $answer->{status} // 0;
    return fault( $c, 'not_found' )   if $status == 404;
    return fault( $c, 'no_question' ) if $status == 409;
    return not_taken( $c, $answer ) if $answer->{kind} ne 'accepted';

    return $c->render( status => 204, openapi => undef );
}

1;

package Koha::Plugin::Org::PatronPassport::FollowUpController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use C4::Context;

use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::State qw( cleaned is_state_of );
use Koha::Plugin::Org::PatronPassport::User  qw( may_override );

__PACKAGE__->serves(
    cancel   => [ 'POST /scans/{event_id}/cancel',   'staff' ],
    consent  => [ 'POST /scans/{event_id}/consent',  'staff' ],
    decision => [ 'POST /scans/{event_id}/decision', 'staff' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::FollowUpController - what the desk sends after an event, under
/api/v1/contrib/passport/scans/{event_id}

=head1 METHODS

=head2 cancel

C<POST /scans/{event_id}/cancel>: has the service cancel an event, and hands on what it came to.

=cut

sub cancel {
    my ( $self, $plugin ) = @_;

    my $settings = $plugin->settings;
    return $self->fault('not_configured') if !$settings->is_complete;

    my $answer
        = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->cancel( $self->param('event_id') );
    return $self->fault( _unknown($answer) ) if ( $answer->{status} // 0 ) == 404;
    return $self->not_taken($answer)         if $answer->{kind} ne 'cancelled';

    # of a double scan it is the state of the first event
    my $state = cleaned( $answer->{state} );
    $plugin->scans->keep($state) if is_state_of( $state, $state->{event_id} );

    return $self->ok( { event_id => $state->{event_id}, result => $answer->{result}, state => $state } );
}

# Something before the service answers 404, too, and does not say which.
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
    my ( $self, $plugin ) = @_;

    my $settings = $plugin->settings;
    return $self->fault('not_configured') if !$settings->is_complete;

    my $body   = $self->req->json;
    my $acting = C4::Context->userenv // {};
    my %said   = ( answer => $body->{answer}, text_id => $body->{text_id}, operator => $acting->{number} );
    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->consent( $self->param('event_id'), \%said );
    my $status = $answer->{status} // 0;
    return $self->fault('not_found')   if $status == 404;
    return $self->fault('no_question') if $status == 409;
    return $self->not_taken($answer)   if $answer->{kind} ne 'accepted';

    return $self->done;
}

=head2 decision

C<POST /scans/{event_id}/decision>: what staff have decided of a scan that waits for it: which library it is, or why a refusal is
overridden, which takes a permission (L<Koha::Plugin::Org::PatronPassport::User/may_override>). The service gets the branch of
whoever decides with it, and takes no decision of another branch than the scan's.

=cut

sub decision {
    my ( $self, $plugin ) = @_;

    my $settings = $plugin->settings;
    return $self->fault('not_configured') if !$settings->is_complete;

    my $body   = $self->req->json;
    my $acting = C4::Context->userenv // {};
    return $self->fault('no_library')  if !length( $acting->{branch} // q{} );
    return $self->fault('not_allowed') if $body->{question} eq 'OVERRIDE' && !may_override();

    my %said = (
        question => $body->{question},
        option   => $body->{option},
        branch   => $acting->{branch},
        operator => $acting->{number},
    );
    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->decide( $self->param('event_id'), \%said );
    my $status = $answer->{status} // 0;
    return $self->fault('not_found')    if $status == 404;
    return $self->fault('other_branch') if $status == 409 && ( $answer->{code} // q{} ) eq 'other_branch';
    return $self->fault('no_question')  if $status == 409;
    return $self->not_taken($answer)    if $answer->{kind} ne 'accepted';

    return $self->done;
}

1;

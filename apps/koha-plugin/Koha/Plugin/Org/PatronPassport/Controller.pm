package Koha::Plugin::Org::PatronPassport::Controller;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use C4::Circulation ();
use C4::Context;
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::Answer     qw( answer );
use Koha::Plugin::Org::PatronPassport::Card       qw( fits scan_key trimmed );
use Koha::Plugin::Org::PatronPassport::DeskScript qw( script );
use Koha::Plugin::Org::PatronPassport::Event      qw( new_id not_found );
use Koha::Plugin::Org::PatronPassport::Problem    qw( report );
use Koha::Plugin::Org::PatronPassport::Refusal    qw( fault is_json not_json not_taken );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::State qw( is_state_of );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Controller - the routes of the desk and its scans under /api/v1/contrib/passport

=head1 METHODS

=head2 add

C<POST /scans>: signs an event and sends it, unless the page comes of a scan that the hook has just reported: then that
event is followed. With C<item_barcode> the service checks that item out itself.

What is not sent as C<application/json> is refused (L<Koha::Plugin::Org::PatronPassport::Refusal/is_json>).

=cut

sub add {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'POST /scans', sub { return _add( $c, @_ ) } );
}

sub _add {
    my ( $c, $plugin ) = @_;

    my $settings = $plugin->settings;
    return fault( $c, 'not_configured' ) if !$settings->is_complete || !$settings->serves('staff');

    my $body = $c->req->json;
    return fault( $c, 'not_a_card' )
        if !fits( $body->{cardnumber}, $settings->patterns );

    my $acting = C4::Context->userenv // {};
    return fault( $c, 'no_library' ) if !length( $acting->{branch} // q{} );

    my $scans  = $plugin->scans;
    my $card   = trimmed( $body->{cardnumber} );
    my $item   = _item( $body->{item_barcode} );
    my $handed = defined $item ? undef : $scans->hand_out( scan_key( $card, $settings->key ) );
    return _taken( $c, { event_id => $handed, status => 'accepted', joined => 1 } ) if defined $handed;

    my $event = not_found(
        {   card      => $card,
            item      => $item,
            branch    => $acting->{branch},
            interface => 'staff',
            operator  => $acting->{number},
            now       => Time::HiRes::time(),
        }
    );
    my $event_id = new_id();
    my $answer   = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->deliver( $event_id, $event );
    return not_taken( $c, $answer, $event_id ) if $answer->{kind} ne 'accepted';

    # the event goes on without our row: who cancels has to be able to name it
    eval { $scans->note( $answer->{event_id} ); 1 } or report( 'POST /scans', $@ );

    return _taken( $c, $answer );
}

sub _taken {
    my ( $c, $answer ) = @_;

    my %said = map { $_ => $answer->{$_} } qw( event_id status );
    $said{$_} = Mojo::JSON->true foreach grep { $answer->{$_} } qw( duplicate joined );

    return $c->render( status => 202, openapi => \%said );
}

=head2 get

C<GET /scans/{event_id}>: what is known of an event. The receiver is queried only when the service, which reports
every change to us, should have done so by now.

=cut

sub get {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'GET /scans', sub { return _get( $c, @_ ) } );
}

sub _get {
    my ( $c, $plugin ) = @_;

    my $settings = $plugin->settings;
    my $scans    = $plugin->scans;
    my $event_id = $c->param('event_id');

    if ( $settings->is_complete && $scans->may_query($event_id) ) {
        my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->query($event_id);
        $scans->keep_current( $answer->{state} ) if is_state_of( $answer->{state}, $event_id );
    }

    my $state = $scans->fetch($event_id);
    return fault( $c, 'not_found' ) if !$state;

    return $c->render( status => 200, openapi => $state );
}

=head2 outcome

C<PUT /scans/{event_id}/outcome>: the service reports the state of an event. An older state than the one kept changes
nothing.

=cut

sub outcome {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer( $c, 'PUT /scans/{event_id}/outcome', sub { return _outcome( $c, @_ ) }, 'service' );
}

sub _outcome {
    my ( $c, $plugin ) = @_;

    my $state = $c->req->json;
    return $c->render(
        status  => 400,
        openapi => { error => 'The state is of another event', error_code => 'other_event' }
    ) if !is_state_of( $state, $c->param('event_id') );

    $plugin->scans->keep($state);

    return $c->render( status => 204, openapi => undef );
}

=head2 desk

C<GET /desk.js>: the desk's script.

=cut

sub desk {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'GET /desk.js',
        sub {
            my ($plugin) = @_;
            $c->res->headers->content_type('text/javascript; charset=utf-8');
            $c->res->headers->cache_control('private, max-age=86400');
            return $c->render( data => script( $plugin->bundle_path ) );
        }
    );
}

# The API looks an item up as it is given; at the desk Koha cleans a scanned barcode first, and so do we.
sub _item {
    my ($scanned) = @_;

    my $barcode = trimmed($scanned);

    return length $barcode ? C4::Circulation::barcodedecode($barcode) : undef;
}

1;

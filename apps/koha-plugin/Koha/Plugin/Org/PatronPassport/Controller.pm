package Koha::Plugin::Org::PatronPassport::Controller;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use C4::Context;
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Caller     qw( desk_of );
use Koha::Plugin::Org::PatronPassport::Card       qw( fits scan_key trimmed );
use Koha::Plugin::Org::PatronPassport::Code       qw( barcode_of is_item );
use Koha::Plugin::Org::PatronPassport::DeskScript qw( script );
use Koha::Plugin::Org::PatronPassport::Event      qw( new_id not_found );
use Koha::Plugin::Org::PatronPassport::FirstScan  qw( find_known );
use Koha::Plugin::Org::PatronPassport::Problem    qw( report );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::State qw( is_state_of );
use Koha::Plugin::Org::PatronPassport::User  qw( decides may_see );

__PACKAGE__->serves(
    add     => [ 'POST /scans',                   'staff' ],
    code    => [ 'POST /codes',                   'staff' ],
    get     => [ 'GET /scans',                    'staff' ],
    outcome => [ 'PUT /scans/{event_id}/outcome', 'service' ],
    desk    => [ 'GET /desk.js',                  'staff' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::Controller - the routes of the desk and its scans under /api/v1/contrib/passport

=head1 METHODS

=head2 add

C<POST /scans>: signs an event and sends it, unless the page comes of a scan that the hook has just reported: then that
event is followed. With C<item_barcode> the service checks that item out itself. What is the barcode of an item here is reported as a
card only where somebody has said that it is one (C<is_card>).

=cut

sub add {
    my ( $self, $plugin ) = @_;

    my $settings = $plugin->settings;
    return $self->fault('not_configured') if !$settings->is_complete || !$settings->serves('staff');

    my $body = $self->req->json;
    return $self->fault('not_a_card') if !fits( $body->{cardnumber}, $settings->patterns );

    return $self->fault('item_here') if !$body->{is_card} && is_item( $body->{cardnumber} );

    my $acting = C4::Context->userenv // {};
    return $self->fault('no_library') if !length( $acting->{branch} // q{} );

    my $scans  = $plugin->scans;
    my $card   = trimmed( $body->{cardnumber} );
    my $item   = barcode_of( $body->{item_barcode} );
    my $desk   = desk_of( $self->cookie('CGISESSID'), $settings->key );
    my $handed = defined $item ? undef : $scans->hand_out( scan_key( $card, $settings->key, $desk ) );
    return $self->_taken( { event_id => $handed, status => 'accepted', joined => 1 } ) if defined $handed;

    my $event = not_found(
        {   card      => $card,
            item      => $item,
            branch    => $acting->{branch},
            interface => 'staff',
            operator  => $acting->{number},
            desk      => $desk,
            decides   => [ decides() ],
            now       => Time::HiRes::time(),
        }
    );
    my $event_id = new_id();
    my $answer   = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->deliver( $event_id, $event );
    return $self->not_taken( $answer, $event_id ) if $answer->{kind} ne 'accepted';

    # the event goes on without our row: who cancels has to be able to name it
    eval { $scans->note( $answer->{event_id} ); 1 } or report( 'POST /scans', $@ );

    return $self->_taken($answer);
}

sub _taken {
    my ( $self, $answer ) = @_;

    my %said = map { $_ => $answer->{$_} } qw( event_id status );
    $said{$_} = Mojo::JSON->true foreach grep { $answer->{$_} } qw( duplicate joined );

    return $self->render( status => 202, openapi => \%said );
}

=head2 code

C<POST /codes>: whether a code that was scanned into the panel is the barcode of an item here, and whether a patron here has it whom
this user may see. In no address, for addresses are logged.

=cut

sub code {
    my ( $self, $plugin ) = @_;

    my $scanned = $self->req->json->{code};
    my $known   = find_known( $plugin->copies, 'staff', trimmed($scanned) );
    my %is      = (
        is_item   => is_item($scanned),
        is_patron => $known && may_see( $known->{patron_id} ),
    );

    return $self->ok( { map { $_ => $is{$_} ? Mojo::JSON->true : Mojo::JSON->false } keys %is } );
}

=head2 get

C<GET /scans/{event_id}>: what is known of an event. The receiver is queried only when the service, which reports
every change to us, should have done so by now.

=cut

sub get {
    my ( $self, $plugin ) = @_;

    my $settings = $plugin->settings;
    my $scans    = $plugin->scans;
    my $event_id = $self->param('event_id');

    if ( $settings->is_complete && $scans->may_query($event_id) ) {
        my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->query($event_id);
        $scans->keep_current( $answer->{state} ) if is_state_of( $answer->{state}, $event_id );
    }

    my $state = $scans->fetch($event_id);
    return $self->fault('not_found') if !$state;

    return $self->ok($state);
}

=head2 outcome

C<PUT /scans/{event_id}/outcome>: the service reports the state of an event. An older state than the one kept changes
nothing.

=cut

sub outcome {
    my ( $self, $plugin ) = @_;

    my $state = $self->req->json;
    return $self->fault('other_event') if !is_state_of( $state, $self->param('event_id') );

    $plugin->scans->keep($state);

    return $self->done;
}

=head2 desk

C<GET /desk.js>: the desk's script.

=cut

sub desk {
    my ( $self, $plugin ) = @_;

    $self->res->headers->content_type('text/javascript; charset=utf-8');
    $self->res->headers->cache_control('private, max-age=86400');

    return $self->render( data => script( $plugin->bundle_path ) );
}

1;

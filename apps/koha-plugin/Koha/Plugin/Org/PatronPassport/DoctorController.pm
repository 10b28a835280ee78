package Koha::Plugin::Org::PatronPassport::DoctorController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use Koha::Plugin::Org::PatronPassport::About qw( about_koha about_settings );

__PACKAGE__->serves(
    about          => [ 'GET /about',  'key' ],
    check_settings => [ 'POST /check', 'key' ],
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::DoctorController - the routes under /api/v1/contrib/passport that C<passport doctor> calls

=head1 METHODS

=head2 about

C<GET /about>: facts for C<passport doctor>.

=cut

sub about {
    my ($self) = @_;

    return $self->ok( about_koha($Koha::Plugin::Org::PatronPassport::VERSION) );
}

=head2 check_settings

C<POST /check>: this plugin's settings, a proof of its secret and what its set-up check finds, for C<passport doctor>.

=cut

sub check_settings {
    my ( $self, $plugin ) = @_;

    # whether the other routes serve the caller
    my $has_user   = length $plugin->settings->{service_user};
    my $serves_you = $self->is_service_user($plugin) ? 'yes' : $has_user ? 'no' : 'nobody';

    return $self->ok(
        { %{ about_settings( $plugin, $self->req->json->{nonce} ) }, serves_you => $serves_you } );
}

1;

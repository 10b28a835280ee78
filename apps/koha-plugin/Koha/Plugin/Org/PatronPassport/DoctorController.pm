package Koha::Plugin::Org::PatronPassport::DoctorController;

use Modern::Perl;
use Mojo::Base 'Mojolicious::Controller';

use Koha::Plugin::Org::PatronPassport;
use Koha::Plugin::Org::PatronPassport::About   qw( about_koha );
use Koha::Plugin::Org::PatronPassport::Answer  qw( answer is_service_user );
use Koha::Plugin::Org::PatronPassport::Check   qw( check );
use Koha::Plugin::Org::PatronPassport::Refusal qw( is_json not_json );

=head1 NAME

Koha::Plugin::Org::PatronPassport::DoctorController - the routes under /api/v1/contrib/passport that C<passport doctor> calls

=head1 METHODS

=head2 about

C<GET /about>: facts for C<passport doctor>.

=cut

sub about {
    my ($self) = @_;
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'GET /about',
        sub {
            my $version = $Koha::Plugin::Org::PatronPassport::VERSION;
            return $c->render( status => 200, openapi => about_koha($version) );
        },
        'key'
    );
}

=head2 check_settings

C<POST /check>: this plugin's settings, a proof of its secret and the result of a test event, for C<passport doctor>.

=cut

sub check_settings {
    my ($self) = @_;
    return not_json($self) if !is_json($self);
    my $c = $self->openapi->valid_input or return;

    return answer(
        $c,
        'POST /check',
        sub {
            my ($plugin) = @_;
            my %facts = (
                %{ check( $plugin->settings, $c->req->json->{nonce} ) },
                serves_you => _serves( $c, $plugin )
            );
            return $c->render( status => 200, openapi => \%facts );
        },
        'key'
    );
}

# Whether the other routes serve the caller.
sub _serves {
    my ( $c, $plugin ) = @_;

    return 'yes' if is_service_user( $c, $plugin );

    return length $plugin->settings->{service_user} ? 'no' : 'nobody';
}

1;

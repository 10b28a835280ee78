package Koha::Plugin::Org::PatronPassport;

use Modern::Perl;

use base qw( Koha::Plugins::Base );

use C4::Context;
use C4::Languages;
use Mojo::File ();
use Mojo::JSON ();

use Koha::Plugin::Org::PatronPassport::Caller;
use Koha::Plugin::Org::PatronPassport::Configuration;
use Koha::Plugin::Org::PatronPassport::Copies;
use Koha::Plugin::Org::PatronPassport::DeskScript;
use Koha::Plugin::Org::PatronPassport::Elsewhere;
use Koha::Plugin::Org::PatronPassport::FirstScan;
use Koha::Plugin::Org::PatronPassport::JoinRecord;
use Koha::Plugin::Org::PatronPassport::PartnerCards;
use Koha::Plugin::Org::PatronPassport::Problem;
use Koha::Plugin::Org::PatronPassport::Scans;
use Koha::Plugin::Org::PatronPassport::Settings;
use Koha::Plugin::Org::PatronPassport::Setup;
use Koha::Plugin::Org::PatronPassport::Standing;
use Koha::Plugin::Org::PatronPassport::StatusPage;

our $VERSION = '1.0.0';

our $metadata = {
    name            => 'Patron Passport',
    author          => 'Patron Passport',
    date_authored   => '2026-11-25',
    date_updated    => '2026-11-26',
    minimum_version => '23.11.00.000',
    maximum_version => undef,
    version         => $VERSION,
    description     =>
        q{Lets patrons of partner libraries borrow here: a card that is unknown here is reported to the}
        . q{ consortium's passport service, and its answer is shown at the desk},
    namespace => 'passport',
};

=head1 NAME

Koha::Plugin::Org::PatronPassport - reports cards that this Koha does not know to the passport service

=head1 METHODS

=head2 new

=cut

sub new {
    my ( $class, $args ) = @_;

    $args //= {};
    $args->{metadata} = { %{$metadata}, class => $class };

    my $self = $class->SUPER::new($args) or return;
    Koha::Plugin::Org::PatronPassport::Setup::keep_current($self);

    return $self;
}

=head2 running

    my $plugin = Koha::Plugin::Org::PatronPassport->running or ...;

The plugin, where its files are there and it is installed and enabled; undef otherwise. A web worker has the class, and its routes,
until the restart: an object that is made after a removal would install the plugin again, without its files.

=cut

sub running {
    my ($class) = @_;

    return if !Koha::Plugin::Org::PatronPassport::Setup::has_files($class);

    my ($is_on) = C4::Context->dbh->selectrow_array(
        'SELECT COUNT(*) FROM plugin_data WHERE plugin_class = ?'
            . q{ AND plugin_key IN ('__INSTALLED__', '__ENABLED__') AND plugin_value = '1'},
        undef, $class
    );

    return $is_on == 2 ? $class->new( { enable_plugins => 1 } ) : undef;
}

=head2 patron_barcode_transform

Koha's hook, called before it looks a card up. The card is never changed, and nothing that goes wrong in here is seen
by Koha.

=cut

sub patron_barcode_transform {
    my ( $self, $card_ref ) = @_;

    return if eval { Koha::Plugin::Org::PatronPassport::FirstScan::scanned( $self, ${$card_ref} ); 1 };

    Koha::Plugin::Org::PatronPassport::Problem::report( 'the hook', $@ );
    return;
}

=head2 intranet_head

What holds the keys of a scanner that come before the desk's script, on the pages where that takes them.

=cut

sub intranet_head {
    my ($self) = @_;

    my $what = Koha::Plugin::Org::PatronPassport::DeskScript::wanted_on();
    return q{} if !$what || $what eq 'form' || !_operator();

    my $script = eval {
        my $settings = $self->settings;

        # from 26.05 on: there a page has loaded it
        my $nonce = eval { Koha::ContentSecurityPolicy->new->get_nonce };
        $settings->is_complete && $settings->serves('staff')
            ? Koha::Plugin::Org::PatronPassport::DeskScript::first_keys( $self->bundle_path, $nonce )
            : q{};
    };
    return $script if defined $script;

    Koha::Plugin::Org::PatronPassport::Problem::report( 'the first keys', $@ );
    return q{};
}

=head2 intranet_js

The desk's script, on the page that Koha shows for an unknown card, on its form for a new patron, and on the checkout page of a copy; and on
a patron's page the link to where the patron has copies.

=cut

sub intranet_js {
    my ( $self, $args ) = @_;

    my $page = ( $args // {} )->{page};
    my $link = eval { Koha::Plugin::Org::PatronPassport::Elsewhere::link_on( $self, $page ) // q{} };
    Koha::Plugin::Org::PatronPassport::Problem::report( 'the link on a patron\'s page', $@ )
        if !defined $link;
    return $link if length( $link // q{} );

    my $what = Koha::Plugin::Org::PatronPassport::DeskScript::wanted_on($page);
    return q{} if !$what || !_operator();

    my $tags = eval {
        my $settings = $self->settings;
        $settings->is_complete
            ? Koha::Plugin::Org::PatronPassport::DeskScript::tags(
            {   what     => $what,
                standing => $what eq 'checkout' && $settings->serves('copies') ? $self->_standing : undef,
                version  => $VERSION,
                settings => $settings,
                folder   => $self->bundle_path,
                language => C4::Languages::getlanguage(),
                staff    => _operator(),
                is_from_elsewhere => Koha::Plugin::Org::PatronPassport::Caller::is_from_elsewhere(),
            }
            )
            : q{};
    };
    return $tags if defined $tags;

    Koha::Plugin::Org::PatronPassport::Problem::report( 'the desk script', $@ );
    return q{};
}

# Who is logged in, by number: Koha asks for that under the address of any page.
sub _operator {
    return ( C4::Context->userenv // {} )->{number};
}

# undef too where it cannot be told: the page has everything else.
sub _standing {
    my ($self) = @_;

    my $standing;
    eval { $standing = Koha::Plugin::Org::PatronPassport::Standing::standing_on_page($self); 1 }
        or Koha::Plugin::Org::PatronPassport::Problem::report( 'the standing of a copy', $@ );

    return $standing;
}

=head2 configure

=cut

sub configure {
    my ($self) = @_;

    return $self->_show( 'configure.tt', Koha::Plugin::Org::PatronPassport::Configuration::page($self) );
}

=head2 tool

How the service is for this library, with the set-up check; for staff who may use tool plugins
(L<Koha::Plugin::Org::PatronPassport::StatusPage>). With C<patron>, where that patron has copies
(L<Koha::Plugin::Org::PatronPassport::Elsewhere>).

=cut

sub tool {
    my ($self) = @_;

    my $patron = $self->{cgi} ? scalar $self->{cgi}->param('patron') : undef;
    return $self->_show( 'elsewhere.tt',
        Koha::Plugin::Org::PatronPassport::Elsewhere::elsewhere_page( $self, $patron ) )
        if defined $patron;

    return $self->_show( 'tool.tt', Koha::Plugin::Org::PatronPassport::StatusPage::status_page($self) );
}

sub _show {
    my ( $self, $file, $params ) = @_;

    my $template = $self->get_template( { file => $file } );
    $template->param( %{$params} );

    return $self->output_html( $template->output );
}

=head2 api_namespace, api_routes

What F<openapi.json> says, with the answers that each route can give. 400, 401, 404 and 500 must be named: Koha's F<Koha/REST/V1.pm>
loads L<Mojolicious::Plugin::OpenAPI> with its C<default_response>, which asks them for a list of C<errors> where nobody says otherwise.

=cut

sub api_namespace {
    return 'passport';
}

sub api_routes {
    my ($self) = @_;

    my $described = Mojo::JSON::decode_json( Mojo::File->new( $self->bundle_path, 'openapi.json' )->slurp );
    foreach my $route ( map { values %{$_} } values %{ $described->{paths} } ) {
        $route->{responses} = { %{ $described->{responses} }, %{ $route->{responses} } };
    }

    return $described->{paths};
}

=head2 background_tasks

=cut

sub background_tasks {
    return { seen_copy => 'Koha::Plugin::Org::PatronPassport::SeenJob' };
}

=head2 cronjob_nightly

=cut

sub cronjob_nightly {
    my ($self) = @_;

    $self->scans->purge;
    $self->copies->remove_deleted;

    Koha::Plugin::Org::PatronPassport::JoinRecord::settle($self);
    my $settings = $self->settings;
    Koha::Plugin::Org::PatronPassport::PartnerCards::take_over($self)
        if $settings->{cards_followed} && $settings->is_complete;

    return;
}

=head2 install, upgrade, uninstall

All are safe to repeat, by several web workers at once too. The types of attributes and restrictions stay, and with them what they say of
patrons. Nothing is installed without
the plugin's files. Where C<install> or C<upgrade> fails, Koha's log and both pages have the reason.

=cut

sub install {
    my ($self) = @_;

    return 0 if !Koha::Plugin::Org::PatronPassport::Setup::has_files( $self->{class} );

    return _set_up( $self, 'install' );
}

sub upgrade {
    my ($self) = @_;

    return _set_up( $self, 'upgrade' );
}

# Koha drops what they die of (Koha/Exceptions/Plugin.pm, full_message), and tries what was false again with the next object.
sub _set_up {
    my ( $self, $what ) = @_;

    return 1 if eval { Koha::Plugin::Org::PatronPassport::Setup::ensure($self); 1 };

    $self->{setup_error} = "$@" =~ s{\s* \n .* }{}xmsr;
    warn "Patron Passport: $what failed: $self->{setup_error}\n";

    return 0;
}

sub uninstall {
    my ($self) = @_;

# A superlibrarian's browser that opens the address of plugins/run.pl; Koha's own removal has no page (Koha/Plugins/Handler.pm)
    if ( $self->{cgi} ) {
        $self->output_html( 'Nothing was removed: see Plugins, Actions, Uninstall',
            '405 Method Not Allowed' );
        return 0;
    }

    Koha::Plugin::Org::PatronPassport::JoinRecord::forget($self);
    $_->drop foreach $self->scans, $self->copies;

    return 1;
}

=head2 settings, scans, copies

What was configured, read anew at each call, and the plugin's own tables.

=cut

sub settings {
    my ($self) = @_;

    return Koha::Plugin::Org::PatronPassport::Settings->load( C4::Context->dbh, $self->{class} );
}

sub scans {
    my ($self) = @_;

    return Koha::Plugin::Org::PatronPassport::Scans->new(
        { dbh => C4::Context->dbh, table => $self->get_qualified_table_name('scans') } );
}

sub copies {
    my ($self) = @_;

    return Koha::Plugin::Org::PatronPassport::Copies->new(
        { dbh => C4::Context->dbh, table => $self->get_qualified_table_name('copies') } );
}

1;

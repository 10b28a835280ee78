package Koha::Plugin::Org::PatronPassport::About;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Mojo::JSON  ();
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Event     qw( timestamp );
use Koha::Plugin::Org::PatronPassport::KohaFacts qw( attribute_types );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Shape     qw( number );
use Koha::Plugin::Org::PatronPassport::Signature qw( proof_of );

my @FLAGS = qw( unique_id repeatable mandatory opac_display opac_editable staff_searchable );

# What decides how copies are made and how cards are found; none of them holds a secret.
my @PREFERENCES = qw(
    AutoEmailNewUser autoMemberNum AutoSwitchPatron CardnumberLength ChildNeedsGuarantor EmailPatronRegistrations
    EnhancedMessagingPreferences ExtendedPatronAttributes IndependentBranches itemBarcodeInputFilter
    PatronDuplicateMatchingAddFields RESTBasicAuth RESTOAuth2ClientCredentials SelfCheckoutByLogin
    TrackLastPatronActivityTriggers uppercasesurnames WebBasedSelfCheck
);

# Longer than a page waits, so that slow is seen to be slow; shorter than the service waits for an answer of Koha's.
my $TEST_LIMIT_S = 1.5;

my %DELIVERY = (
    accepted    => ['ms'],
    refused     => [qw( status code reason ms )],
    unreachable => [qw( why ms )],
);

our @EXPORT_OK = qw( about_koha about_settings );

=head1 NAME

Koha::Plugin::Org::PatronPassport::About - what C<passport doctor> cannot learn from Koha's own API, and compares with the
service's own configuration

=head1 FUNCTIONS

=head2 about_koha

    my $facts = about_koha($plugin_version);

=cut

sub about_koha {
    my ($version) = @_;

    return {
        version         => $version,
        koha_version    => Koha::version(),
        time            => timestamp( Time::HiRes::time() ),
        attribute_types => [ map { _type($_) } attribute_types() ],
        preferences     => { map { $_ => _text( C4::Context->preference($_) ) } @PREFERENCES },
        plack_workers   => number()->( C4::Context->config('plack_workers') ),
    };
}

sub _type {
    my ($type) = @_;

    return {
        code        => $type->{code},
        category_id => _text( $type->{category_code} ),
        map { $_ => _boolean( $type->{$_} ) } @FLAGS
    };
}

=head2 about_settings

    my $facts = about_settings( $settings, $nonce );

How the plugin is configured, a proof that it has the secret it has (never the secret), and the outcome of a test event
that was sent with all of it: the receiver answers that and queues nothing. Nothing is changed here.

=cut

sub about_settings {
    my ( $settings, $nonce ) = @_;

    my $key = $settings->key;

    return {
        secret_from => $settings->{secret_from},
        proof       => defined $key ? proof_of( $key, $nonce ) : undef,
        serves      => { map { $_ => _boolean( $settings->serves($_) ) } qw( staff self_check sip copies ) },
        delivery      => _delivery($settings),
        card_patterns => $settings->has_patterns ? $settings->patterns : [],
        map { $_ => length $settings->{$_} ? "$settings->{$_}" : undef } qw( library receiver_url ),
    };
}

sub _delivery {
    my ($settings) = @_;

    return { kind => 'not_sent' } if !$settings->is_complete;

    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->test($TEST_LIMIT_S);

    return { kind => $answer->{kind}, map { $_ => $answer->{$_} } @{ $DELIVERY{ $answer->{kind} } } };
}

sub _text {
    my ($value) = @_;

    return defined $value ? "$value" : undef;
}

sub _boolean {
    my ($value) = @_;

    return $value ? Mojo::JSON->true : Mojo::JSON->false;
}

1;

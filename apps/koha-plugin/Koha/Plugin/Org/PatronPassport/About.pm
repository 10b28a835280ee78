package Koha::Plugin::Org::PatronPassport::About;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Mojo::JSON  ();
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Event      qw( timestamp );
use Koha::Plugin::Org::PatronPassport::JoinRecord qw( settle );
use Koha::Plugin::Org::PatronPassport::KohaFacts  qw( attribute_types koha_facts );
use Koha::Plugin::Org::PatronPassport::SetupCheck qw( setup_checks );
use Koha::Plugin::Org::PatronPassport::Shape      qw( number );
use Koha::Plugin::Org::PatronPassport::Signature  qw( proof_of );
use Koha::Plugin::Org::PatronPassport::Status     qw( service_status );

# What doctor judges with what it sees from outside; none of them holds a secret.
my @PREFERENCES = qw( AutoEmailNewUser ChildNeedsGuarantor IndependentBranches );

# Longer than a page waits, so that slow is seen to be slow; shorter than the service waits for an answer of Koha's.
my $RECEIVER_LIMIT_S = 1.5;

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
        attribute_types => [ map { +{ code => $_->{code} } } attribute_types() ],
        preferences     => { map { $_ => _text( C4::Context->preference($_) ) } @PREFERENCES },
        plack_workers   => number()->( C4::Context->config('plack_workers') ),
    };
}

=head2 about_settings

    my $facts = about_settings( $plugin, $nonce );

How the plugin is configured, a proof that it has the secret it has (never the secret), and what its set-up check finds
(L<Koha::Plugin::Org::PatronPassport::SetupCheck>), as codes and figures: doctor has sentences of its own. A library that waits to be accepted (L<Koha::Plugin::Org::PatronPassport::JoinRecord>) waits no
longer where the service knows it; nothing else is changed here.

=cut

sub about_settings {
    my ( $plugin, $nonce ) = @_;

    settle( $plugin, $RECEIVER_LIMIT_S );
    my $settings = $plugin->settings;
    my $key      = $settings->key;
    my $now      = Time::HiRes::time();
    my $service  = service_status( $settings, $now, $RECEIVER_LIMIT_S );
    my $seen     = { settings => $settings, service => $service, facts => koha_facts($plugin), now => $now };

    return {
        secret_from => $settings->{secret_from},
        proof       => defined $key ? proof_of( $key, $nonce ) : undef,
        serves      => { map { $_ => _boolean( $settings->serves($_) ) } qw( staff self_check sip copies ) },
        findings    => [ map { _finding($_) } setup_checks($seen) ],
        card_patterns => $settings->has_patterns ? $settings->patterns : [],
        map { $_ => length $settings->{$_} ? "$settings->{$_}" : undef } qw( library receiver_url ),
    };
}

sub _finding {
    my ($check) = @_;

    my $say      = $check->{say};
    my ($name)   = grep {defined} @{$say}{qw( type category branch why )};
    my ($figure) = grep {defined} @{$say}{qw( status seconds workers ms )};

    return {
        finding => $say->{key},
        level   => $check->{level},
        name    => _text($name),
        figure  => number()->($figure)
    };
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

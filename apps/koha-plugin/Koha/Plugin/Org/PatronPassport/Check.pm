package Koha::Plugin::Org::PatronPassport::Check;

use Modern::Perl;

use Exporter qw( import );
use Mojo::JSON  ();
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Event qw( new_id test_event );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Signature qw( proof_of );

# Longer than a page waits, so that slow is seen to be slow; shorter than the service waits for an answer of Koha's.
my $LIMIT_S = 1.5;

my %FACTS = (
    accepted    => ['ms'],
    refused     => [qw( status code reason ms )],
    unreachable => [qw( why ms )],
);

our @EXPORT_OK = qw( check );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Check - what C<passport doctor> compares with the service's own configuration

=head1 FUNCTIONS

=head2 check

    my $facts = check( $settings, $nonce );

How the plugin is configured, a proof that it has the secret it has (never the secret), and what became of a test event
that was sent with all of it: the receiver answers that and queues nothing. Nothing is changed here.

=cut

sub check {
    my ( $settings, $nonce ) = @_;

    my $key = $settings->key;

    return {
        library      => _text( $settings->{library} ),
        receiver_url => _text( $settings->{receiver_url} ),
        secret_from  => $settings->{secret_from},
        proof        => defined $key ? proof_of( $key, $nonce ) : undef,
        serves       => {
            map { $_ => $settings->serves($_) ? Mojo::JSON->true : Mojo::JSON->false }
                qw( staff self_check sip copies )
        },
        delivery => _delivery($settings),
    };
}

sub _delivery {
    my ($settings) = @_;

    return { kind => 'not_sent' } if !$settings->is_complete;

    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->deliver( new_id(), test_event( Time::HiRes::time() ), $LIMIT_S );

    return { kind => $answer->{kind}, map { $_ => $answer->{$_} } @{ $FACTS{ $answer->{kind} } } };
}

sub _text {
    my ($value) = @_;

    return length( $value // q{} ) ? "$value" : undef;
}

1;

package Koha::Plugin::Org::PatronPassport::ReceiverAnswer;

use Modern::Perl;

use Exporter qw( import );

our @EXPORT_OK = qw( is_id refusal_of why_of );

=head1 NAME

Koha::Plugin::Org::PatronPassport::ReceiverAnswer - what is believed of the receiver's answers, and how they are named

=head1 FUNCTIONS

=head2 refusal_of

    my $refusal = refusal_of( { status => 401, json => $json, retry_after => '2', ms => 9 } );

An answer that is not the one that was hoped for: C<< { kind => 'refused', status => 401, code => 'unauthorized', reason => 'clock',
retry_after => 2, ms => 9 } >>, with undef for what it does not say, or does not say in the service's words.

=cut

sub refusal_of {
    my ($answer) = @_;

    my $code = ref $answer->{json} eq 'HASH' ? $answer->{json}{code} : undef;
    ($code) = ( $code // q{} ) =~ m{\A ( [A-Za-z0-9_.-]{1,64} ) \z}xms;

    my $reason = ref $answer->{json} eq 'HASH' ? $answer->{json}{reason} : undef;
    ($reason) = ( $reason // q{} ) =~ m{\A ( clock | library | signature | not_seen | not_kept ) \z}xms;

    my ($seconds) = ( $answer->{retry_after} // q{} ) =~ m{\A ( [0-9]{1,6} ) \z}xms;

    return {
        kind        => 'refused',
        status      => $answer->{status},
        code        => $code,
        reason      => $reason,
        retry_after => $seconds,
        ms          => $answer->{ms},
    };
}

=head2 why_of

    my $why = why_of('Connect timeout');

C<timeout>, C<refused>, C<tls>, C<name> or C<broken>. The agent's own words can hold an address; these cannot.

=cut

sub why_of {
    my ($message) = @_;

    return 'timeout' if $message =~ m{timeout}xmsi;
    return 'refused' if $message =~ m{refused}xmsi;
    return 'tls'     if $message =~ m{ssl | tls | certificate}xmsi;
    return 'name'    if $message =~ m{resolve | name | host}xmsi;
    return 'broken';
}

=head2 is_id

True for what can be an event's id.

=cut

sub is_id {
    my ($id) = @_;

    return !ref $id && ( $id // q{} ) =~ m{\A [A-Za-z0-9_-]{1,128} \z}xms;
}

1;

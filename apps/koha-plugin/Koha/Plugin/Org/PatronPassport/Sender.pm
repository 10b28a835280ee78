package Koha::Plugin::Org::PatronPassport::Sender;

use Modern::Perl;

use Mojo::UserAgent;
use POSIX       qw( ceil );
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::ReceiverAnswer qw( is_id refusal_of why_of );
use Koha::Plugin::Org::PatronPassport::Signature      qw( headers_for );
use Koha::Plugin::Org::PatronPassport::StatusAnswer   qw( cleaned_status );

# What a page may lose: connecting, sending and the answer together
my $LIMIT_S       = 0.5;
my $LARGEST_BYTES = 64 * 1024;

# Without Net::DNS::Native the limit does not hold while a name is looked up, which nothing can interrupt: a name server
# that hangs costs a web worker one exchange, and not each. By the receiver's address, so that a corrected one is used at
# once.
my $SLOW_MS = 1000;
my $PAUSE_S = 30;
my %paused_until;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Sender - the only speaker to the receiver

=head1 DESCRIPTION

An answer is a hash with a C<kind>, never an exception:

    { kind => 'accepted', event_id => $id, status => 'accepted', joined => 1, duplicate => 1, ms => 12 }
    { kind => 'refused', status => 401, code => 'unauthorized', reason => 'clock', retry_after => undef, ms => 9 }
    { kind => 'unreachable', why => 'timeout', ms => 501 }
    { kind => 'unreachable', why => 'paused', retry_after => 30, ms => 0 }

Nothing of the event is in it. After an exchange that took more than a second, this process pauses for 30 seconds.

=head1 METHODS

=head2 new

    my $sender = Koha::Plugin::Org::PatronPassport::Sender->new($settings);

The settings have to be complete.

=cut

sub new {
    my ( $class, $settings ) = @_;

    return bless { url => $settings->{receiver_url}, library => $settings->{library}, key => $settings->key },
        $class;
}

=head2 deliver

    my $answer = $sender->deliver( $id, $body, $limit_s );

Connects, sends and has the answer within C<$limit_s> (500 ms by default), or gives up. With a longer limit
somebody tries it out: that ignores the pause, and starts none.

=cut

sub deliver {
    my ( $self, $id, $body, $limit_s ) = @_;

    my $path   = "/webhooks/$self->{library}";
    my $answer = $self->_exchange( 'POST', $path, $id, $body, $limit_s // $LIMIT_S );
    return $answer if $answer->{kind} ne 'answered';

    return refusal_of($answer) if $answer->{status} != 202;

    # accepted or not: that cannot be known, and sending it again does no harm
    my $said = $answer->{json};
    return { kind => 'unreachable', why => 'broken', ms => $answer->{ms} }
        if ref $said ne 'HASH' || !is_id( $said->{event_id} );

    return {
        kind     => 'accepted',
        status   => 'accepted',
        event_id => $said->{event_id},
        ms       => $answer->{ms},
        map { $_ => 1 } grep { $said->{$_} } qw( duplicate joined ),
    };
}

=head2 query

    my $answer = $sender->query($event_id);

The receiver's own view of an event: C<< { kind => 'known', state => {...} } >>, or as above.

=cut

sub query {
    my ( $self, $event_id ) = @_;

    my $answer = $self->_exchange( 'GET', "/webhooks/$self->{library}/$event_id", $event_id, q{}, $LIMIT_S );
    return $answer if $answer->{kind} ne 'answered';

    my $state = $answer->{json};
    return refusal_of($answer)
        if $answer->{status} != 200 || ref $state ne 'HASH' || !is_id( $state->{event_id} );

    return { kind => 'known', state => $state };
}

=head2 cancel

    my $answer = $sender->cancel( $event_id, $body );

What a cancel came to: C<< { kind => 'cancelled', result => 'NOTHING_WRITTEN', state => {...} } >>, or as above. An event
that the receiver does not know is C<refused> with the status 404, and with the reason C<not_seen> or C<not_kept>.

=cut

sub cancel {
    my ( $self, $event_id, $body ) = @_;

    my $path   = "/webhooks/$self->{library}/$event_id/cancel";
    my $answer = $self->_exchange( 'POST', $path, $event_id, $body, $LIMIT_S );
    return $answer             if $answer->{kind} ne 'answered';
    return refusal_of($answer) if $answer->{status} !~ m{\A 20[02] \z}xms;

    # cancelled or not: that cannot be known, and cancelling again does no harm
    my $said = $answer->{json};
    return { kind => 'unreachable', why => 'broken', ms => $answer->{ms} }
        if ref $said ne 'HASH'
        || ref $said->{state} ne 'HASH'
        || !is_id( $said->{state}{event_id} )
        || !_is_cancelled( $said->{result} );

    return { kind => 'cancelled', result => $said->{result}, state => $said->{state} };
}

=head2 consent

    my $answer = $sender->consent( $event_id, $body );

C<< { kind => 'accepted' } >> where the receiver has the patron's answer, or as above.

=cut

sub consent {
    my ( $self, $event_id, $body ) = @_;

    my $path   = "/webhooks/$self->{library}/$event_id/consent";
    my $answer = $self->_exchange( 'POST', $path, $event_id, $body, $LIMIT_S );
    return $answer             if $answer->{kind} ne 'answered';
    return refusal_of($answer) if $answer->{status} != 200;

    return { kind => 'accepted', ms => $answer->{ms} };
}

=head2 status

    my $answer = $sender->status( $id, $body, $limit_s );

How the service is for this library: C<< { kind => 'known', status => {...}, ms => 12 } >>
(L<Koha::Plugin::Org::PatronPassport::StatusAnswer>), or as above. Somebody looks at a page meanwhile: with a longer limit it ignores
the pause, and starts none.

=cut

sub status {
    my ( $self, $id, $body, $limit_s ) = @_;

    my $answer
        = $self->_exchange( 'POST', "/webhooks/$self->{library}/service/status", $id, $body, $limit_s );
    return $answer if $answer->{kind} ne 'answered';

    my $status = $answer->{status} == 200 ? cleaned_status( $answer->{json} ) : undef;
    return refusal_of($answer) if !$status;

    return { kind => 'known', status => $status, ms => $answer->{ms} };
}

sub _is_cancelled {
    my ($result) = @_;

    return !ref $result
        && ( $result // q{} ) =~ m{\A (?: NOTHING_WRITTEN | CHECKOUT_STOPPED | ENDED | PENDING ) \z}xms;
}

sub _exchange {
    my ( $self, $method, $path, $id, $body, $limit_s ) = @_;

    my $can_pause = $limit_s <= $LIMIT_S;
    my $paused_s  = ( $paused_until{ $self->{url} } // 0 ) - _now();
    return { kind => 'unreachable', why => 'paused', retry_after => ceil($paused_s), ms => 0 }
        if $can_pause && $paused_s > 0;

    my $headers = headers_for( $self->{key}, $id, time, $body );
    $headers->{'content-type'} = 'application/json' if length $body;

    my $started = _now();
    my $agent   = _agent($limit_s);
    my $tx      = $agent->build_tx( $method => "$self->{url}$path" => $headers => $body );
    my $error   = eval { $agent->start($tx)->error } // ( $@ ? { message => 'failed' } : undef );
    my $ms      = int 1000 * ( _now() - $started );
    $paused_until{ $self->{url} } = _now() + $PAUSE_S if $can_pause && $ms > $SLOW_MS;

    # 4xx and 5xx are errors to the agent too, with a code
    return { kind => 'unreachable', why => why_of( $error->{message} ), ms => $ms }
        if $error && !$error->{code};

    my $answer = $tx->result;
    return {
        kind        => 'answered',
        status      => $answer->code,
        json        => $answer->json,
        retry_after => scalar $answer->headers->header('retry-after'),
        ms          => $ms,
    };
}

# Nothing is kept from call to call: a connection that died unseen would cost an event.
sub _agent {
    my ($limit_s) = @_;

    return Mojo::UserAgent->new(
        max_connections    => 0,
        max_redirects      => 0,
        max_response_size  => $LARGEST_BYTES,
        connect_timeout    => $limit_s,
        inactivity_timeout => $limit_s,
        request_timeout    => $limit_s,
    );
}

sub _now {
    return Time::HiRes::clock_gettime( Time::HiRes::CLOCK_MONOTONIC() );
}

1;

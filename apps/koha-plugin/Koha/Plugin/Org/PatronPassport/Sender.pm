package Koha::Plugin::Org::PatronPassport::Sender;

use Modern::Perl;

use List::Util qw( any );
use Mojo::UserAgent;
use Mojo::Util  qw( steady_time );
use POSIX       qw( ceil );
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Event     qw( consented decided event new_id timestamp );
use Koha::Plugin::Org::PatronPassport::Shape     qw( is_id );
use Koha::Plugin::Org::PatronPassport::Signature qw( headers_for );

# What a page may lose: connecting, sending and the answer together
my $LIMIT_S       = 0.5;
my $LARGEST_BYTES = 64 * 1024;

# Without Net::DNS::Native the limit does not hold while a name is looked up, which nothing can interrupt: a name server
# that hangs costs a web worker one exchange, and not each. By the receiver's address, so that a corrected one is used at
# once.
my $SLOW_MS = 1000;
my $PAUSE_S = 30;
my %paused_until;

# Taken or not: that cannot be known, and sending it again does no harm.
my $BROKEN = { kind => 'unreachable', why => 'broken' };

=head1 NAME

Koha::Plugin::Org::PatronPassport::Sender - the only speaker to the receiver

=head1 DESCRIPTION

An answer is a hash with a C<kind>, never an exception:

    { kind => 'accepted', event_id => $id, status => 'accepted', joined => 1, duplicate => 1, ms => 12 }
    { kind => 'refused', status => 401, code => 'unauthorized', reason => 'clock', retry_after => undef, ms => 9 }
    { kind => 'unreachable', why => 'timeout', ms => 501 }
    { kind => 'unreachable', why => 'paused', retry_after => 30, ms => 0 }

C<why> is C<timeout>, C<refused>, C<tls>, C<name>, C<broken> or C<paused>. A refusal has undef for what the receiver does not
say, or does not say in the service's words. Nothing of the event is in it. After an exchange that took more than a second, this
process pauses for 30 seconds.

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

    my $believed = sub {
        my ($said) = @_;
        return $BROKEN if !is_id( $said->{event_id} );
        my @flags = grep { $said->{$_} } qw( duplicate joined );
        return {
            kind     => 'accepted',
            status   => 'accepted',
            event_id => $said->{event_id},
            map { $_ => 1 } @flags
        };
    };

    return $self->_request( { id => $id, body => $body, limit_s => $limit_s, expected => [202] }, $believed );
}

=head2 test

    my $answer = $sender->test($limit_s);

Delivers an event that the receiver answers and does not queue.

=cut

sub test {
    my ( $self, $limit_s ) = @_;

    return $self->deliver( new_id(), event( 'passport.test', {}, Time::HiRes::time() ), $limit_s );
}

=head2 query

    my $answer = $sender->query( $event_id, $limit_s );

The receiver's own view of an event: C<< { kind => 'known', state => {...} } >>, or as above. The limit is that of C<deliver>.

=cut

sub query {
    my ( $self, $event_id, $limit_s ) = @_;

    my $believed = sub {
        my ($state) = @_;
        return is_id( $state->{event_id} ) ? { kind => 'known', state => $state } : undef;
    };

    my %request = ( method => 'GET', path => "/$event_id", id => $event_id, limit_s => $limit_s );

    return $self->_request( \%request, $believed );
}

=head2 cancel

    my $answer = $sender->cancel($event_id);

Cancels the event, and says what that came to: C<< { kind => 'cancelled', result => 'NOTHING_WRITTEN', state => {...} } >>, or
as above. An event that the receiver does not know is C<refused> with the status 404, and with the reason C<not_seen> or
C<not_kept>.

=cut

sub cancel {
    my ( $self, $event_id ) = @_;

    my $body     = event( 'scan.cancelled', {}, Time::HiRes::time() );
    my $believed = sub {
        my ($said) = @_;
        my ( $result, $state ) = @{$said}{qw( result state )};
        return $BROKEN if ref $state ne 'HASH' || !is_id( $state->{event_id} ) || !_is_cancelled($result);
        return { kind => 'cancelled', result => $result, state => $state };
    };
    my %request = ( path => "/$event_id/cancel", id => $event_id, body => $body, expected => [ 200, 202 ] );

    return $self->_request( \%request, $believed );
}

=head2 consent

    my $answer = $sender->consent( $event_id, { answer => 'yes', text_id => $id, operator => $borrowernumber } );

Reports what the patron said: C<< { kind => 'accepted' } >> where the receiver has the patron's answer, or as above.

=cut

sub consent {
    my ( $self, $event_id, $said ) = @_;

    my $body = consented( $said, Time::HiRes::time() );

    return $self->_request( { path => "/$event_id/consent", id => $event_id, body => $body },
        sub { return { kind => 'accepted' } } );
}

=head2 decide

    my $answer = $sender->decide( $event_id,
        { question => 'HOME_CHOICE', option => 'midland', branch => $branch, operator => $borrowernumber } );

Reports what staff have decided: C<< { kind => 'accepted' } >> where the receiver has the decision, or as above.

=cut

sub decide {
    my ( $self, $event_id, $said ) = @_;

    my $body = decided( $said, Time::HiRes::time() );

    return $self->_request( { path => "/$event_id/decision", id => $event_id, body => $body },
        sub { return { kind => 'accepted' } } );
}

=head2 status

    my $answer = $sender->status( $since, $limit_s, sub { my ($json) = @_; ... } );

How the service is for this library, with the outcomes since then (in Unix seconds): C<< { kind => 'known', status => {...}, ms
=> 12 } >>, or as above. The function makes of the receiver's answer what can be relied on, or undef. Somebody looks at a page
meanwhile: with a longer limit it ignores the pause, and starts none.

=cut

sub status {
    my ( $self, $since, $limit_s, $reliable ) = @_;

    my $believed = sub {
        my $status = $reliable->(@_);
        return $status ? { kind => 'known', status => $status } : undef;
    };
    my $body    = event( 'library.status_requested', { since => timestamp($since) }, Time::HiRes::time() );
    my %request = ( path => '/service/status', id => new_id(), body => $body, limit_s => $limit_s );

    return $self->_request( \%request, $believed );
}

=head2 elsewhere

    my $answer = $sender->elsewhere( $borrowernumber, $limit_s, sub { my ($json) = @_; ... } );

Where a patron of this library has copies: C<< { kind => 'known', patron => {...}, ms => 12 } >>, or as above. The function makes of
the receiver's answer what can be relied on, or undef.

=cut

sub elsewhere {
    my ( $self, $patron_id, $limit_s, $reliable ) = @_;

    my $believed = sub {
        my $patron = $reliable->(@_);
        return $patron ? { kind => 'known', patron => $patron } : undef;
    };
    my $body    = event( 'patron.elsewhere_requested', { patron_id => 0 + $patron_id }, Time::HiRes::time() );
    my %request = ( path => '/service/elsewhere', id => new_id(), body => $body, limit_s => $limit_s );

    return $self->_request( \%request, $believed );
}

=head2 ask_to_join

    my $answer = Koha::Plugin::Org::PatronPassport::Sender->ask_to_join( $receiver, $json, $limit_s );

Posts the request of a library that the receiver does not know yet (L<Koha::Plugin::Org::PatronPassport::JoinRequest>), without a signature: C<<
{ kind => 'accepted' } >> where it was taken, or as above. Only the kind and the status are believed.

=cut

sub ask_to_join {
    my ( $class, $receiver, $json, $limit_s ) = @_;

    my $self    = bless { url => $receiver }, $class;
    my %request = ( url => "$receiver/join", body => $json, limit_s => $limit_s, expected => [202] );

    return $self->_request( \%request, sub { return { kind => 'accepted' } } );
}

sub _is_cancelled {
    my ($result) = @_;

    return !ref $result
        && ( $result // q{} ) =~ m{\A (?: NOTHING_WRITTEN | CHECKOUT_STOPPED | ENDED | PENDING ) \z}xms;
}

# What is believed of an answer with an expected status (200); undef of $believed is a refusal.
sub _request {
    my ( $self, $request, $believed ) = @_;

    my $answer = $self->_exchange($request);
    return $answer if $answer->{kind} ne 'answered';

    my ( $status, $json ) = @{$answer}{qw( status json )};
    my $is_expected = any { $_ == $status } @{ $request->{expected} // [200] };
    my $meant       = $is_expected ? $believed->( ref $json eq 'HASH' ? $json : {} ) : undef;

    return $meant ? { %{$meant}, ms => $answer->{ms} } : _refusal($answer);
}

sub _exchange {
    my ( $self, $request ) = @_;

    my ( $id, $body, $limit_s )
        = ( $request->{id}, $request->{body} // q{}, $request->{limit_s} // $LIMIT_S );
    my $can_pause = $limit_s <= $LIMIT_S;
    my $paused_s  = ( $paused_until{ $self->{url} } // 0 ) - steady_time();
    return { kind => 'unreachable', why => 'paused', retry_after => ceil($paused_s), ms => 0 }
        if $can_pause && $paused_s > 0;

    my $headers = defined $self->{key} ? headers_for( $self->{key}, $id, time, $body ) : {};
    $headers->{'content-type'} = 'application/json' if length $body;

    my $started = steady_time();
    my $agent   = _agent($limit_s);
    my $url     = $request->{url} // "$self->{url}/webhooks/$self->{library}" . ( $request->{path} // q{} );
    my $tx      = $agent->build_tx( $request->{method} // 'POST', $url => $headers => $body );
    my $error   = eval { $agent->start($tx)->error } // ( $@ ? { message => 'failed' } : undef );
    my $ms      = int 1000 * ( steady_time() - $started );
    $paused_until{ $self->{url} } = steady_time() + $PAUSE_S if $can_pause && $ms > $SLOW_MS;

    # 4xx and 5xx are errors to the agent too, with a code
    return { kind => 'unreachable', why => _why( $error->{message} ), ms => $ms }
        if $error && !$error->{code};

    my $answer = $tx->result;
    return {
        kind        => 'answered',
        status      => 0 + $answer->code,
        json        => $answer->json,
        retry_after => scalar $answer->headers->header('retry-after'),
        ms          => $ms,
    };
}

sub _refusal {
    my ($answer) = @_;

    my $json = ref $answer->{json} eq 'HASH' ? $answer->{json} : {};
    my ($code) = ( $json->{code} // q{} ) =~ m{\A ( [A-Za-z0-9_.-]{1,64} ) \z}xms;
    my ($reason)
        = ( $json->{reason} // q{} ) =~ m{\A ( clock | library | signature | not_seen | not_kept ) \z}xms;
    my ($field)   = ( $json->{field}         // q{} ) =~ m{\A ( [a-z0-9_.]{1,64} ) \z}xms;
    my ($seconds) = ( $answer->{retry_after} // q{} ) =~ m{\A ( [0-9]{1,6} ) \z}xms;

    return {
        kind        => 'refused',
        code        => $code,
        reason      => $reason,
        field       => $field,
        retry_after => $seconds,
        map { $_ => $answer->{$_} } qw( status ms ),
    };
}

# The agent's own words can hold an address; these cannot.
sub _why {
    my ($message) = @_;

    return 'timeout' if $message =~ m{timeout}xmsi;
    return 'refused' if $message =~ m{refused}xmsi;
    return 'tls'     if $message =~ m{ssl | tls | certificate}xmsi;
    return 'name'    if $message =~ m{resolve | name | host}xmsi;
    return 'broken';
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

1;

package Passport::TestReceiver;

# A receiver for a test: a process of its own on a free port that answers each delivery as the test says, and writes
# down what it got.

use Modern::Perl;

use File::Temp       ();
use IO::Socket::INET ();
use Time::HiRes      ();
use Mojo::JSON       qw( decode_json encode_json );

# What is sent back, by name; undef: nothing at all, and the line stays open.
my %ANSWER = (
    accepts =>
        sub { return _reply( 202, { event_id => $_[0]{headers}{'webhook-id'}, status => 'accepted' } ) },
    coalesces => sub {
        return _reply( 202, { event_id => 'scan_first', status => 'accepted', joined => Mojo::JSON->true } );
    },
    cancels => sub {
        my %state = ( event_id => $_[0]{headers}{'webhook-id'}, seq => 3, state => 'done', more => 1 );
        my $answer = { event_id => $state{event_id}, result => 'CHECKOUT_STOPPED' };
        return _reply( 200, { %{$answer}, state => { %state, outcome => 'CANCELLED' } } );
    },
    consents   => sub { return _reply( 200, { event_id => 'scan_1', answer => 'yes' } ) },
    decides    => sub { return _reply( 200, { event_id => 'scan_1', option => 'midland' } ) },
    status_404 => sub { return _reply( 404, { code => 'not_found', title => 'Unknown' } ) },
    hangs      => sub {return},
    status_401 => sub { return _reply( 401, { code => 'bad_signature', title => 'Unauthorized' } ) },
    status_429 => sub { return _reply( 429, { code => 'rate', title => 'Too many' }, "Retry-After: 2\r\n" ) },
    status_500 => sub { return _reply( 500, { code => 'internal', title => 'Broken' } ) },
    status_503 =>
        sub { return _reply( 503, { code => 'unavailable', title => 'Away' }, "Retry-After: 1\r\n" ) },
    garbage => sub { return "\x00\x01\x02 this is no HTTP at all\r\n\r\n" },
    html    =>
        sub { return "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>hi</html>" },
    truncated => sub {
        return qq(HTTP/1.1 202 Accepted\r\nContent-Length: 200\r\nConnection: close\r\n\r\n{"event_id": "sc);
    },
    no_id => sub { return _reply( 202, { event_id => 'a b/c', status => 'accepted' } ) },
    drips => sub {
        return sub {
            my ($line) = @_;
            print {$line} "HTTP/1.1 202 Accepted\r\n" or return;
            foreach ( 1 .. 30 ) {
                Time::HiRes::sleep(0.1);
                print {$line} "X-Drip: $_\r\n" or return;
                $line->flush                   or return;
            }
        };
    },
    redirects => sub {
        my ($request) = @_;
        return
            "HTTP/1.1 302 Found\r\nLocation: $request->{path}/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    },
    hangs_up => sub { return q{} },
);

# Passport::TestReceiver->start( 'accepts', sub { my ($request) = @_; ... } ): the sub runs in the receiver's own
# process, after the answer.
sub start {
    my ( $class, $how, $afterwards ) = @_;

    my $answer = ref $how ? $how : $ANSWER{$how} // die "no such answer: $how\n";
    my $socket
        = IO::Socket::INET->new( LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 32, ReuseAddr => 1 )
        // die "no socket: $!\n";
    my $log  = File::Temp->new;
    my $self = bless { port => $socket->sockport, log => $log }, $class;

    $self->{pid} = fork // die "no fork: $!\n";
    return $self if $self->{pid};

    $log->unlink_on_destroy(0);
    eval { _serve( $socket, "$log", $answer, $afterwards ); 1 } or warn $@;
    require POSIX;
    POSIX::_exit(0);
}

sub url {
    my ($self) = @_;

    return "http://127.0.0.1:$self->{port}";
}

sub requests {
    my ($self) = @_;

    open my $handle, '<', "$self->{log}" or die "no log: $!\n";
    my @requests = map { decode_json($_) } <$handle>;
    close $handle;

    return @requests;
}

sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;
    kill KILL => $pid;
    waitpid $pid, 0;

    return;
}

sub DESTROY {
    my ($self) = @_;

    local $?;
    $self->stop;

    return;
}

sub _serve {
    my ( $socket, $log, $answer, $afterwards ) = @_;

    my @open;
    while ( my $line = $socket->accept ) {
        my $request = _read($line) or next;
        open my $handle, '>>', $log or die "no log: $!\n";
        print {$handle} encode_json($request), "\n";
        close $handle;

        my $bytes = $answer->($request);
        if ( ref $bytes ) {
            local $SIG{PIPE} = 'IGNORE';
            $bytes->($line);
        }
        elsif ( defined $bytes ) {
            print {$line} $bytes;
            close $line;
        }
        else {
            push @open, $line;
        }
        $afterwards->($request) if $afterwards;
    }

    return;
}

sub _read {
    my ($line) = @_;

    my $head = q{};
    while ( my $part = <$line> ) {
        last if $part eq "\r\n";
        $head .= $part;
    }
    my ( $first, @lines ) = split m{\r\n}xms, $head;
    return if !$first;

    my %headers = map { lc( ( split m{:\s*}xms, $_, 2 )[0] ) => ( split m{:\s*}xms, $_, 2 )[1] } @lines;
    my $body    = q{};
    read $line, $body, $headers{'content-length'} // 0;
    my ( $method, $path ) = split m{\s}xms, $first;

    return { method => $method, path => $path, headers => \%headers, body => $body };
}

sub _reply {
    my ( $status, $json, $more ) = @_;

    my $body = encode_json($json);

    return
          "HTTP/1.1 $status Something\r\nContent-Type: application/json\r\nConnection: close\r\n"
        . ( $more // q{} )
        . 'Content-Length: '
        . length($body)
        . "\r\n\r\n$body";
}

1;

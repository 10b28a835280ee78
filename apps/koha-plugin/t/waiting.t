use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use IO::Handle;
use Socket qw( AF_UNIX PF_UNSPEC SOCK_DGRAM );
use Test::More;
use Time::HiRes qw( sleep time );

use Koha::Plugin::Org::PatronPassport::Waiting qw( until_there );
use Passport::TestKoha;
use Passport::TestReceiver;

my @PIDS;
END { local $?; kill KILL => @PIDS }

# A Koha with two web workers, as a small installation has. Whatever comes, a page or a call of the API, takes one.
sub start_workers {
    my ( $koha, $count ) = @_;

    socketpair my $in,  my $out,  AF_UNIX, SOCK_DGRAM, PF_UNSPEC or die "no socket: $!\n";
    socketpair my $got, my $done, AF_UNIX, SOCK_DGRAM, PF_UNSPEC or die "no socket: $!\n";

    my @pids;
    foreach ( 1 .. $count ) {
        my $pid = fork // die "no fork: $!\n";
        push @pids, $pid;
        push @PIDS, $pid;
        next if $pid;

        $koha->connect;
        while ( defined recv $out, my $task, 1000, 0 ) {
            my ( $what, $card, $sent_at ) = split q{ }, $task;
            my $said
                = $what eq 'scan' ? $koha->page( 'circ/circulation.pl', "findborrower=$card" ) : 'created';
            $koha->add_patron($card) if $what eq 'create';
            send $done, sprintf( '%s %s %s %d', $what, $card, $said, 1000 * ( time - $sent_at ) ), 0;
        }
        require POSIX;
        POSIX::_exit(0);
    }

    return {
        send => sub {
            my ( $what, $card ) = @_;
            return send $in, join( q{ }, $what, $card, time ), 0;
        },
        next_answer => sub {
            my $bits = q{};
            vec( $bits, fileno $got, 1 ) = 1;
            return if !select $bits, undef, undef, 8;
            recv $got, my $answer, 1000, 0;
            return split q{ }, $answer;
        },
        stop => sub { kill KILL => @pids; waitpid $_, 0 foreach @pids; return },
    };
}

subtest 'two desks scan unknown cards on a Koha with two workers: neither blocks the other' => sub {
    my $koha    = Passport::TestKoha->new;
    my $workers = start_workers( $koha, 2 );

    # the service creates the patron through the same two workers
    my $service = Passport::TestReceiver->start(
        'accepts',
        sub {
            my $event = Mojo::JSON::decode_json( $_[0]{body} );
            $workers->{send}->( 'create', $event->{data}{cardnumber} );
        }
    );
    $koha->configure( receiver_url => $service->url, staff_wait => 4000 );

    my @cards = qw( 21234000000017 21234000000025 );
    $workers->{send}->( 'scan', $_ ) foreach @cards;

    my ( %page, %took_ms );
    foreach ( 1 .. 4 ) {
        my ( $what, $card, $said, $ms ) = $workers->{next_answer}->() or last;
        next if $what eq 'create';
        ( $page{$card}, $took_ms{$card} ) = ( $said, $ms );
    }
    $workers->{stop}->();

    is( scalar keys %page, 2, 'both pages came' );
    cmp_ok( $took_ms{$_}, '<', 2000, "$_: after $took_ms{$_} ms, long before the wait was over" )
        foreach @cards;
    my ($waited) = grep { $page{$_} =~ m{\A circulation[.]pl}xms } @cards;
    ok( $waited, 'who waited found the patron at the first scan' );
};

subtest 'one page waits; another goes on at once; the next one may wait again' => sub {
    my $koha = Passport::TestKoha->new;
    my %wait = ( limit_ms => 300, alone => 1, is_decided => sub { return 0 }, is_there => sub { return 0 } );

    my $inner;
    my $outer = until_there(
        {   %wait,
            dbh      => $koha->{dbh},
            is_there => sub {
                my $mine = $koha->{dbh};
                $inner //= until_there( { %wait, dbh => $koha->connect } );
                $koha->{dbh} = $C4::Context::DBH = $mine;
                return 0;
            },
        }
    );
    is( $inner,                                        'busy', 'while one waits' );
    is( $outer,                                        'late', 'the one that waited' );
    is( until_there( { %wait, dbh => $koha->{dbh} } ), 'late', 'afterwards' );
};

subtest 'the lock is released when the database fails in the middle' => sub {
    my $koha = Passport::TestKoha->new;
    my %wait = ( dbh => $koha->{dbh}, limit_ms => 200, alone => 1, is_decided => sub { return 0 } );
    ok( !eval {
            until_there( { %wait, is_there => sub { die "gone\n" } } );
            1;
        },
        'it failed'
    );
    is( $@, "gone\n", 'as it should' );
    is( until_there( { %wait, dbh => $koha->connect, is_there => sub { return 1 } } ),
        'there', 'and is free' );
};

subtest 'no wait is no wait' => sub {
    my $koha = Passport::TestKoha->new;
    is( until_there( { dbh => $koha->{dbh}, limit_ms => 0, alone => 1 } ), 'late', 'a limit of nothing' );
    $koha->{dbh}->begin_work;
    is( until_there( { dbh => $koha->{dbh}, limit_ms => 500 } ),
        'late', 'inside a transaction nothing would change' );
    $koha->{dbh}->rollback;
};

subtest 'a patron who came together with the decision is there' => sub {
    my $koha = Passport::TestKoha->new;
    is( until_there(
            {   dbh        => $koha->{dbh},
                limit_ms   => 500,
                is_decided => sub { return 1 },
                is_there   => sub { return 1 }
            }
        ),
        'there',
        'there, not decided'
    );
};

done_testing;

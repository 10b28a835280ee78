package Koha::Plugin::Org::PatronPassport::Waiting;

use Modern::Perl;

use Exporter    qw( import );
use List::Util  qw( min );
use Mojo::Util  qw( steady_time );
use Time::HiRes ();

my $FIRST_PAUSE_MS   = 30;
my $LONGEST_PAUSE_MS = 100;

our @EXPORT_OK = qw( until_there );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Waiting - holds a page until the patron is there

=head1 FUNCTIONS

=head2 until_there

    my $end = until_there( { dbh => $dbh, limit_ms => 1500, is_there => sub {...}, is_decided => sub {...}, alone => 1 } );

How the wait ended: C<there> (C<is_there> came true), C<decided> (C<is_decided> did: the service has its answer, and
waiting longer is of no use), C<late> (the limit), or C<busy> (with C<alone>: another page waits already).

A page that waits holds a web worker, and the service needs one to create the patron; an installation can have two. So
at most one page waits: who does not get the lock at once goes on.

=cut

sub until_there {
    my ($wait) = @_;

    return 'late' if $wait->{limit_ms} <= 0;

    # inside a transaction we would look at one snapshot for ever
    return 'late' if !$wait->{dbh}->{AutoCommit};
    return 'busy' if $wait->{alone} && !_try_lock( $wait->{dbh} );

    my $end   = eval { _watch($wait) };
    my $error = $@;
    _unlock( $wait->{dbh} ) if $wait->{alone};
    die $error              if !defined $end;

    return $end;
}

sub _watch {
    my ($wait) = @_;

    my $deadline = steady_time() + $wait->{limit_ms} / 1000;
    my $pause_ms = $FIRST_PAUSE_MS;
    while (1) {

        # the decision is read first: when both came in between, the patron is there
        my $is_decided = $wait->{is_decided}->();
        return 'there'   if $wait->{is_there}->();
        return 'decided' if $is_decided;

        my $left_ms = 1000 * ( $deadline - steady_time() );
        return 'late' if $left_ms <= 0;

        Time::HiRes::usleep( 1000 * min( $pause_ms, $left_ms ) );
        $pause_ms = min( 1.25 * $pause_ms, $LONGEST_PAUSE_MS );
    }

    return;
}

# One database server may serve many Kohas, and its locks know no database: the name has to.
sub _try_lock {
    my ($dbh) = @_;

    my ($locked) = $dbh->selectrow_array(q{SELECT GET_LOCK(CONCAT('passport_', MD5(DATABASE())), 0)});

    return $locked ? 1 : 0;
}

sub _unlock {
    my ($dbh) = @_;

    # a lock that cannot be released ends with its connection
    return eval { $dbh->selectrow_array(q{SELECT RELEASE_LOCK(CONCAT('passport_', MD5(DATABASE())))}); 1 };
}

1;

package Koha::Plugin::Org::PatronPassport::Locks;

use Modern::Perl;

use Exporter    qw( import );
use Mojo::Util  qw( steady_time );
use Time::HiRes ();

our @EXPORT_OK = qw( despite_locks );

# MariaDB and MySQL: "Lock wait timeout exceeded" and "Deadlock found"; both mean that the statement is to be sent again
my %PASSES = map { $_ => 1 } ( 1205, 1213 );

my $MOST_TRIES       = 8;
my $NO_TRY_AFTER_S   = 3;
my $LONGEST_PAUSE_MS = 25;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Locks - statements that survive a deadlock

=head1 FUNCTIONS

=head2 despite_locks

    my $changed = despite_locks( $dbh, sub { return $dbh->do($sql) } );

Does the work and returns its (scalar) result. A deadlock or a lock wait that timed out undid the statement: it is tried
again after a short random pause, up to eight times and for three seconds, since a page may be waiting. Inside a
transaction it is not: there the whole transaction is gone. Any other error is thrown as it came.

=cut

sub despite_locks {
    my ( $dbh, $work ) = @_;

    my $started = steady_time();
    foreach my $try ( 1 .. $MOST_TRIES ) {
        my $result;

        # a transaction that the deadlock has ended can look like none
        my $is_alone = $dbh->{AutoCommit};
        local $dbh->{PrintError} = 0;
        return $result if eval { $result = $work->(); 1 };

        my $error = $@;
        my $is_over
            = !$is_alone
            || !$PASSES{ $dbh->err // 0 }
            || $try == $MOST_TRIES
            || steady_time() - $started > $NO_TRY_AFTER_S;
        die $error if $is_over;

        Time::HiRes::usleep( 1000 * $try * rand $LONGEST_PAUSE_MS );
    }

    return;
}

1;

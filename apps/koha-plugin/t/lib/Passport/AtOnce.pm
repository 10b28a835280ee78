package Passport::AtOnce;

# Work that several processes do at the same moment.

use Modern::Perl;

use Exporter qw( import );
use POSIX    ();

our @EXPORT_OK = qw( at_once );

# at_once( $count, sub { my ($number) = @_; get ready; return sub { the work } } ): what the processes died of.
sub at_once {
    my ( $count, $prepare ) = @_;

    pipe my $is_ready, my $ready or die "no pipe: $!\n";
    pipe my $go,       my $hold  or die "no pipe: $!\n";
    my @children;
    foreach my $number ( 1 .. $count ) {
        pipe my $said, my $say or die "no pipe: $!\n";
        my $pid = fork // die "no fork: $!\n";
        push @children, { pid => $pid, said => $said };
        close $say if $pid;
        next       if $pid;

        close $hold;
        my $is_done = eval {
            my $work = $prepare->($number);
            syswrite $ready, q{.};
            sysread $go, my $nothing, 1;
            $work->();
            1;
        };
        syswrite $say, "$@" || 'died' if !$is_done;
        POSIX::_exit(0);
    }
    close $ready;
    foreach ( 1 .. $count ) { sysread $is_ready, my $dot, 1 }
    close $hold;

    # what has nothing to say ends its pipe with its process
    my @errors;
    foreach my $child (@children) {
        my $error = do { local $/ = undef; readline $child->{said} };
        waitpid $child->{pid}, 0;
        push @errors, $error if length( $error // q{} );
    }

    return @errors;
}

1;

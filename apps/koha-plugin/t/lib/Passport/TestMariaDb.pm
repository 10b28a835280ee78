package Passport::TestMariaDb;

# A MariaDB of a test's own: data and socket in a folder that goes with it, no port. It ends with the process that
# started it.

use Modern::Perl;

use File::Spec  ();
use File::Temp  ();
use IPC::Open3  qw( open3 );
use Mojo::File  qw( path );
use POSIX       qw( WNOHANG );
use Time::HiRes ();

# Containers may be built beside it, on two cores and one disk.
my $PATIENCE_S = 180;

# Why it cannot be used here; nothing where it can.
sub missing {
    return 'DBD::mysql is not on this machine' if !eval { require DBD::mysql; 1 };
    return "$_ is not on this machine" foreach grep { !_program($_) } qw( mariadbd mariadb-install-db );

    return;
}

sub start {
    my ($class) = @_;

    # what a run leaves there goes with it; but a socket's path has at most some hundred characters
    my $tmp    = File::Spec->tmpdir;
    my $folder = File::Temp->newdir( 'passport-db-XXXXXX', DIR => length $tmp < 70 ? $tmp : '/tmp' );
    my $self   = bless { folder => $folder, socket => "$folder/s", owner => $$ }, $class;
    my @as     = $> == 0 ? ('--user=root') : ();

    my $out = _run(
        _program('mariadb-install-db'),
        '--no-defaults', "--datadir=$folder/data", @as, '--auth-root-authentication-method=normal',
        '--skip-test-db'
    );
    die "${out}no database" if $?;

    $self->{pid} = fork // die "no fork: $!\n";
    if ( !$self->{pid} ) {
        open STDOUT, '>',  "$folder/log" or die "no log: $!\n";
        open STDERR, '>&', \*STDOUT      or die "no log: $!\n";
        exec _program('mariadbd'), '--no-defaults', "--datadir=$folder/data", "--socket=$folder/s", @as,
            '--skip-networking',             "--pid-file=$folder/pid", '--innodb-flush-log-at-trx-commit=0',
            '--innodb-buffer-pool-size=32M', '--character-set-server=utf8mb4', '--log-output=TABLE',
            '--collation-server=utf8mb4_unicode_ci'
            or POSIX::_exit(127);
    }
    $self->_await;

    return $self;
}

sub _await {
    my ($self) = @_;

    my $deadline = time + $PATIENCE_S;
    while ( time < $deadline ) {
        return if eval { $self->connect('mysql')->disconnect; 1 };
        die path("$self->{folder}/log")->slurp . "mariadbd ended" if waitpid( $self->{pid}, WNOHANG ) != 0;
        Time::HiRes::sleep(0.05);
    }

    die "mariadbd did not come up";
}

# A handle as Koha's are: Koha::Database's options on those of DBIx::Class, whose exceptions are objects.
sub connect {
    my ( $self, $database ) = @_;

    return handle( $self->{socket}, $database );
}

sub handle {
    my ( $socket, $database ) = @_;

    require DBI;
    require DBIx::Class::Exception;
    my $dbh = DBI->connect(
        "dbi:mysql:dbname=$database;mysql_socket=$socket",
        'root', q{},
        {   RaiseError         => 1,
            PrintError         => 0,
            ShowErrorStatement => 1,
            AutoCommit         => 1,
            mysql_enable_utf8  => 1
        }
    );
    $dbh->do(q{SET NAMES 'utf8mb4'});
    $dbh->{PrintError} = 1;

    # a child that ends must not end the connection of its parent
    $dbh->{AutoInactiveDestroy} = 1;
    $dbh->{HandleError}         = sub { DBIx::Class::Exception->throw("DBI Exception: $_[0]") };

    return $dbh;
}

sub socket {
    my ($self) = @_;

    return $self->{socket};
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;
    local $?;
    my $pid = delete $self->{pid} or return;
    kill TERM => $pid;
    waitpid $pid, 0;

    return;
}

sub _run {
    my (@command) = @_;

    my $pid = open3( my $in, my $out, undef, @command );
    close $in;
    my $text = do { local $/ = undef; <$out> };
    waitpid $pid, 0;

    return $text;
}

# Debian has servers in sbin, which not every PATH has
sub _program {
    my ($name) = @_;

    my ($found) = grep {-x} map {"$_/$name"} split( m{:}xms, $ENV{PATH} // q{} ),
        qw( /usr/sbin /usr/local/sbin );

    return $found;
}

1;

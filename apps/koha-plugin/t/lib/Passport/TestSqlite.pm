package Passport::TestSqlite;

# SQLite in MariaDB's place: its functions, its locks and its statements for tables.

use Modern::Perl;

use Fcntl       qw( :flock );
use Digest::MD5 qw( md5_hex );
use POSIX       qw( mktime strftime );

use DBI ();
use DBIx::Class::Exception;

# A handle with Koha's options on this file.
sub handle {
    my ($file) = @_;

    my $dbh = DBI->connect(
        "dbi:SQLite:dbname=$file",
        q{}, q{},
        {   RaiseError         => 1,
            PrintError         => 1,
            ShowErrorStatement => 1,
            sqlite_unicode     => 1,
            RootClass          => 'Passport::TestSqlite::Dbi'
        }
    );
    $dbh->{HandleError} = sub { DBIx::Class::Exception->throw("DBI Exception: $_[0]") };
    $dbh->do('PRAGMA journal_mode = WAL');
    $dbh->sqlite_busy_timeout(5000);
    _add_locks( $dbh, $file );

    return $dbh;
}

sub _unix_timestamp {
    my ($text) = @_;

    my ( $year, $month, @rest ) = $text =~ m{(\d+)}gxms;

    return mktime( reverse( @rest[ 0 .. 3 ] ), $month - 1, $year - 1900, 0, 0, -1 );
}

# MariaDB's locks: named, tried, and released with the connection at the latest.
sub _add_locks {
    my ( $dbh, $file ) = @_;

    my %held;
    $dbh->sqlite_create_function( 'DATABASE',  0, sub { return 'koha_riverside' } );
    $dbh->sqlite_create_function( 'MD5',       1, \&md5_hex );
    $dbh->sqlite_create_function( 'NOW',       0, sub { return strftime '%Y-%m-%d %H:%M:%S', localtime } );
    $dbh->sqlite_create_function( 'UNIX_TIMESTAMP', 1, \&_unix_timestamp );
    $dbh->sqlite_create_function( 'CONCAT',   -1, sub { return join q{}, @_ } );
    $dbh->sqlite_create_function(
        'GET_LOCK',
        2,
        sub {
            my ( $name, $wait ) = @_;
            die "the lock has to be tried only\n" if $wait != 0;
            open my $handle, '>', "$file.$name" or die "no lock: $!\n";
            return 0 if !flock $handle, LOCK_EX | LOCK_NB;
            $held{$name} = $handle;
            return 1;
        }
    );
    $dbh->sqlite_create_function(
        'RELEASE_LOCK',
        1,
        sub {
            my ($name) = @_;
            my $handle = delete $held{$name} or return 0;
            close $handle;
            return 1;
        }
    );

    return;
}

package Passport::TestSqlite::Dbi;

use parent 'DBI';

package Passport::TestSqlite::Dbi::db;

use parent -norequire, 'DBI::db';

# MariaDB's statements for tables, in the form that SQLite accepts
sub do {
    my ( $self, $sql, @more ) = @_;

    if ( $sql =~ m{\A \s* CREATE [ ] TABLE }xms ) {
        $sql =~ s{, \s* KEY \s+ \w+ \s+ [(] \w+ [)]}{}gxms;
        $sql =~ s{ [)] \s+ ENGINE=InnoDB .* \z}{)}xms;
    }

    if ( my ( $table, $added ) = $sql =~ m{\A \s* ALTER [ ] TABLE [ ] (\w+) \s (.*) \z}xms ) {
        $self->SUPER::do("ALTER TABLE $table $_")
            foreach grep { !m{ADD [ ] KEY}xms } split m{,\s*}xms, $added;
        return '0E0';
    }

    return $self->SUPER::do( $sql, @more );
}

package Passport::TestSqlite::Dbi::st;

use parent -norequire, 'DBI::st';

1;

package Passport::TestKoha;

# One Koha for a test: a database, the plugin in it, somebody logged in, and pages to scan cards on. The database is
# SQLite's, or a new one in the MariaDB that listens at PASSPORT_TEST_MARIADB (see t/on-mariadb.t).

use Modern::Perl;

use Fcntl       qw( :flock );
use File::Temp  ();
use FindBin     ();
use Digest::MD5 qw( md5_hex );
use CGI         ();
use DBI         ();

use C4::Context;
use DBIx::Class::Exception;
use Koha::Plugins;
use Passport::Page;
use Passport::TestMariaDb;
use Koha::Plugin::Org::PatronPassport ();

our $SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
our $CLASS  = 'Koha::Plugin::Org::PatronPassport';

sub new {
    my ( $class, %with ) = @_;

    my $self = $class->new_without_plugin(%with);

    %C4::Context::CONFIG     = ( enable_plugins => 1, plack_workers => '2', database => 'koha' );
    %C4::Context::PREFERENCE = ();
    $C4::Context::USERENV    = { branch => 'MAIN', number => 51 };
    $self->{plugin}          = $CLASS->new( { enable_plugins => 1 } );
    @Koha::Plugins::ENABLED  = ( $self->{plugin} );

    return $self;
}

# Koha's tables, and nothing of the plugin.
sub new_without_plugin {
    my ( $class, %with ) = @_;

    my $self = bless { folder => File::Temp->newdir, code_length => $with{code_length} // 64 }, $class;
    $self->connect;
    $self->{dbh}->do($_) foreach $self->_tables;

    return $self;
}

# The Koha of another process, with the same database; the plugin is not loaded yet.
sub attach {
    my ( $class, $koha, %config ) = @_;

    my $self = bless { %{$koha} }, $class;
    %C4::Context::CONFIG    = ( enable_plugins => 1, plack_workers => '2', database => 'koha', %config );
    $C4::Context::USERENV   = { branch => 'MAIN', number => 51 };
    @Koha::Plugins::ENABLED = ();
    $self->connect;

    return $self;
}

# A connection of this process's own: after a fork the parent's is of no use.
sub connect {
    my ($self) = @_;

    $self->{dbh} = $C4::Context::DBH = $self->is_mariadb ? $self->_connect_mariadb : $self->_connect_sqlite;

    return $self->{dbh};
}

sub is_mariadb {
    return length( $ENV{PASSPORT_TEST_MARIADB} // q{} ) ? 1 : 0;
}

sub _connect_mariadb {
    my ($self) = @_;

    my $socket = $ENV{PASSPORT_TEST_MARIADB};
    if ( !$self->{database} ) {
        state $count = 0;
        $self->{database} = join q{_}, 'koha', $$, ++$count;
        Passport::TestMariaDb::handle( $socket, 'mysql' )
            ->do("CREATE DATABASE $self->{database} COLLATE utf8mb4_unicode_ci");
    }

    return Passport::TestMariaDb::handle( $socket, $self->{database} );
}

sub _connect_sqlite {
    my ($self) = @_;

    my $file = "$self->{folder}/koha.db";
    my $dbh  = DBI->connect(
        "dbi:SQLite:dbname=$file",
        q{}, q{},
        {   RaiseError         => 1,
            PrintError         => 1,
            ShowErrorStatement => 1,
            sqlite_unicode     => 1,
            RootClass          => 'Passport::Dbh'
        }
    );
    $dbh->{HandleError} = sub { DBIx::Class::Exception->throw("DBI Exception: $_[0]") };
    $dbh->do('PRAGMA journal_mode = WAL');
    $dbh->sqlite_busy_timeout(5000);
    _add_locks( $dbh, $file );

    return $dbh;
}

# MariaDB's locks: named, tried, and given back with the connection at the latest.
sub _add_locks {
    my ( $dbh, $file ) = @_;

    my %held;
    $dbh->sqlite_create_function( 'DATABASE',  0, sub { return 'koha_riverside' } );
    $dbh->sqlite_create_function( 'MD5',       1, \&md5_hex );
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

# What the plugin meets of Koha's tables (installer/data/mysql/kohastructure.sql); on SQLite without the keys.
sub _tables {
    my ($self) = @_;

    my ( $id, $nocase, $ends ) = ( 'INTEGER PRIMARY KEY', 'COLLATE NOCASE', q{} );
    ( $id, $nocase, $ends ) = ( 'INT AUTO_INCREMENT PRIMARY KEY', q{}, ' ENGINE=InnoDB' )
        if $self->is_mariadb;
    my $keys = $self->is_mariadb ? ', KEY (borrowernumber), KEY code_attribute (code, attribute(191))' : q{};

    return map {"CREATE TABLE $_$ends"} (
        "borrowers (borrowernumber $id, cardnumber VARCHAR(32) $nocase UNIQUE, userid VARCHAR(75) $nocase UNIQUE)",
        'plugin_data (plugin_class VARCHAR(255), plugin_key VARCHAR(255), plugin_value MEDIUMTEXT,'
            . ' PRIMARY KEY (plugin_class, plugin_key))',
        "borrower_attribute_types (code VARCHAR($self->{code_length}) PRIMARY KEY, description VARCHAR(255),"
            . ' repeatable INT DEFAULT 0, unique_id INT DEFAULT 0, mandatory INT DEFAULT 0, opac_display INT DEFAULT 0,'
            . ' opac_editable INT DEFAULT 0, staff_searchable INT DEFAULT 0, display_checkout INT DEFAULT 0,'
            . ' category_code VARCHAR(10))',
        'borrower_attribute_types_branches (bat_code VARCHAR(64), b_branchcode VARCHAR(10))',
        "borrower_attributes (borrowernumber INT, code VARCHAR(64), attribute VARCHAR(255)$keys)",
    );
}

# A library that is set up, with waits as short as a test wants them.
sub configure {
    my ( $self, %values ) = @_;

    $self->{plugin}->store_data(
        {   receiver_url  => 'http://127.0.0.1:9',
            library       => 'riverside',
            secret        => $SECRET,
            card_patterns => '^21234\d{9}$',
            %values,
        }
    );

    return $self;
}

sub add_patron {
    my ( $self, $cardnumber, $userid ) = @_;

    $self->{dbh}
        ->do( 'INSERT INTO borrowers (cardnumber, userid) VALUES (?, ?)', undef, $cardnumber, $userid );

    return;
}

sub add_attribute {
    my ( $self, $borrowernumber, $code, $value ) = @_;

    $self->{dbh}->do( 'INSERT INTO borrower_attributes (borrowernumber, code, attribute) VALUES (?, ?, ?)',
        undef, $borrowernumber, $code, $value );

    return;
}

# Runs the work and returns the statements that the database saw.
sub statements_of {
    my ( $self, $work ) = @_;

    return $self->_logged($work) if $self->is_mariadb;

    my @statements;
    $self->{dbh}->sqlite_trace( sub { push @statements, $_[0] } );
    my $ok    = eval { $work->(); 1 };
    my $error = $@;
    $self->{dbh}->sqlite_trace(undef);
    die $error if !$ok;

    return @statements;
}

# As the server itself wrote them down.
sub _logged {
    my ( $self, $work ) = @_;

    my $dbh    = $self->{dbh};
    my $marker = 'SELECT ' . q{'} . rand() . q{'};
    $dbh->do('SET GLOBAL general_log = ON');
    $dbh->selectrow_array($marker);
    my $ok    = eval { $work->(); 1 };
    my $error = $@;
    $dbh->do('SET GLOBAL general_log = OFF');
    die $error if !$ok;

    my $logged
        = $dbh->selectcol_arrayref( 'SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log'
            . q{ WHERE thread_id = CONNECTION_ID() AND command_type = 'Query' ORDER BY event_time} );
    shift @{$logged} while $logged->[0] ne $marker;

    return grep { $_ ne $marker && $_ ne 'SET GLOBAL general_log = OFF' } @{$logged};
}

# Whether the database answers this statement by indexes alone; the few types of attributes may be read through.
sub is_by_index {
    my ( $self, $statement ) = @_;

    if ( $self->is_mariadb ) {
        my $plan = $self->{dbh}->selectall_arrayref( "EXPLAIN $statement", { Slice => {} } );
        return !grep {
            ( $_->{type} // q{} ) =~ m{\A (?: ALL | index ) \z}xms && $_->{table} !~ m{<union | \A t \z}xms
        } @{$plan};
    }

    my $plan = $self->{dbh}->selectall_arrayref("EXPLAIN QUERY PLAN $statement");
    return !grep { $_->[3] =~ m{SCAN [ ] borrowers}xms } @{$plan};
}

# A page of Koha, asked for as a browser does.
sub page {
    my ( undef, $script, $query, $method ) = @_;

    local $ENV{REQUEST_METHOD} = $method // 'GET';
    local $ENV{QUERY_STRING}   = $query;
    local $ENV{SCRIPT_NAME}    = "/intranet/$script";
    CGI::initialize_globals();

    my $file   = "$FindBin::Bin/koha/$script";
    my $result = do $file;
    die $@ || "no $file\n" if !defined $result;

    return $result;
}

package Passport::Dbh;

use parent 'DBI';

package Passport::Dbh::db;

use parent -norequire, 'DBI::db';

# MariaDB's words for a table, as SQLite wants them
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

package Passport::Dbh::st;

use parent -norequire, 'DBI::st';

1;

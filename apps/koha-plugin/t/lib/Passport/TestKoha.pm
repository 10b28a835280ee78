package Passport::TestKoha;

# One Koha for a test: a database, the plugin in it, somebody logged in, and pages to scan cards on.

use Modern::Perl;

use Fcntl       qw( :flock );
use File::Temp  ();
use FindBin     ();
use Digest::MD5 qw( md5_hex );
use CGI         ();
use DBI         ();

use C4::Context;
use Koha::Plugins;
use Passport::Page;
use Koha::Plugin::Org::PatronPassport;

our $SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
our $CLASS  = 'Koha::Plugin::Org::PatronPassport';

sub new {
    my ( $class, %with ) = @_;

    my $self = bless { folder => File::Temp->newdir, code_length => $with{code_length} // 64 }, $class;
    $self->connect;
    $self->{dbh}->do($_) for $self->_tables;

    %C4::Context::CONFIG     = ( enable_plugins => 1, plack_workers => '2', database => 'koha' );
    %C4::Context::PREFERENCE = ();
    $C4::Context::USERENV    = { branch => 'MAIN', number => 51 };
    $self->{plugin}          = $CLASS->new( { enable_plugins => 1 } );
    @Koha::Plugins::ENABLED  = ( $self->{plugin} );

    return $self;
}

# A connection of this process's own: after a fork the parent's is of no use.
sub connect {
    my ($self) = @_;

    my $file = "$self->{folder}/koha.db";
    my $dbh  = DBI->connect( "dbi:SQLite:dbname=$file", q{}, q{},
        { RaiseError => 1, PrintError => 0, sqlite_unicode => 1, RootClass => 'Passport::Dbh' } );
    $dbh->do('PRAGMA journal_mode = WAL');
    $dbh->sqlite_busy_timeout(5000);
    _add_locks( $dbh, $file );

    $self->{dbh} = $C4::Context::DBH = $dbh;

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

sub _tables {
    my ($self) = @_;

    return (
        'CREATE TABLE borrowers (borrowernumber INTEGER PRIMARY KEY, cardnumber VARCHAR(32) COLLATE NOCASE UNIQUE,'
            . ' userid VARCHAR(75) COLLATE NOCASE UNIQUE)',
        'CREATE TABLE plugin_data (plugin_class VARCHAR(255), plugin_key VARCHAR(255), plugin_value TEXT,'
            . ' PRIMARY KEY (plugin_class, plugin_key))',
        "CREATE TABLE borrower_attribute_types (code VARCHAR($self->{code_length}) PRIMARY KEY, description VARCHAR(255),"
            . ' repeatable INT DEFAULT 0, unique_id INT DEFAULT 0, mandatory INT DEFAULT 0, opac_display INT DEFAULT 0,'
            . ' opac_editable INT DEFAULT 0, staff_searchable INT DEFAULT 0, display_checkout INT DEFAULT 0,'
            . ' category_code VARCHAR(10))',
        'CREATE TABLE borrower_attribute_types_branches (bat_code VARCHAR(64), b_branchcode VARCHAR(10))',
        'CREATE TABLE borrower_attributes (borrowernumber INT, code VARCHAR(64), attribute VARCHAR(255))',
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

# Runs the work and returns the statements that the database saw.
sub statements_of {
    my ( $self, $work ) = @_;

    my @statements;
    $self->{dbh}->sqlite_trace( sub { push @statements, $_[0] } );
    my $ok    = eval { $work->(); 1 };
    my $error = $@;
    $self->{dbh}->sqlite_trace(undef);
    die $error if !$ok;

    return @statements;
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

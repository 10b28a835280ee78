package Passport::TestDatabase;

# The database of one Koha for a test: SQLite's in a file, or a new one in the MariaDB that listens at
# PASSPORT_TEST_MARIADB (see t/on-mariadb.t).

use Modern::Perl;

use Passport::TestMariaDb;
use Passport::TestSqlite;

sub is_mariadb {
    return length( $ENV{PASSPORT_TEST_MARIADB} // q{} ) ? 1 : 0;
}

# The name by which handle finds it: of a new database in MariaDB, or of a file in this folder.
sub create {
    my ($folder) = @_;

    return "$folder/koha.db" if !is_mariadb();

    state $count = 0;
    my $name = join q{_}, 'koha', $$, ++$count;
    Passport::TestMariaDb::handle( $ENV{PASSPORT_TEST_MARIADB}, 'mysql' )
        ->do("CREATE DATABASE $name COLLATE utf8mb4_unicode_ci");

    return $name;
}

sub handle {
    my ($name) = @_;

    return Passport::TestSqlite::handle($name) if !is_mariadb();

    return Passport::TestMariaDb::handle( $ENV{PASSPORT_TEST_MARIADB}, $name );
}

# What the plugin meets of Koha's tables (installer/data/mysql/kohastructure.sql); on SQLite without the keys.
sub create_tables {
    my ( $dbh, $code_length ) = @_;

    my ( $id, $nocase, $ends ) = ( 'INTEGER PRIMARY KEY', 'COLLATE NOCASE', q{} );
    ( $id, $nocase, $ends ) = ( 'INT AUTO_INCREMENT PRIMARY KEY', q{}, ' ENGINE=InnoDB' )
        if is_mariadb();
    my $keys = is_mariadb() ? ', KEY (borrowernumber), KEY code_attribute (code, attribute(191))' : q{};

    $dbh->do("CREATE TABLE $_$ends")
        foreach (
        'letter (module VARCHAR(20), code VARCHAR(20), branchcode VARCHAR(10), name VARCHAR(100), is_html INT, title VARCHAR(200),'
        . ' content TEXT, message_transport_type VARCHAR(20), lang VARCHAR(25),'
        . ' PRIMARY KEY (module, code, branchcode, message_transport_type, lang))',
        "message_queue (message_id $id, borrowernumber INT, subject TEXT, content TEXT, letter_code VARCHAR(64),"
        . ' message_transport_type VARCHAR(20), status VARCHAR(10))',
        'statistics (datetime DATETIME, branch VARCHAR(10), type VARCHAR(16), borrowernumber INT)',
        "borrowers (borrowernumber $id, cardnumber VARCHAR(32) $nocase UNIQUE, userid VARCHAR(75) $nocase UNIQUE,"
        . ' debarred DATE, debarredcomment VARCHAR(255), anonymized INT NOT NULL DEFAULT 0, email VARCHAR(255),'
        . q{ lang VARCHAR(25) DEFAULT 'default', branchcode VARCHAR(10) DEFAULT 'MAIN', surname VARCHAR(255),}
        . ' categorycode VARCHAR(10), dateexpiry DATE, password VARCHAR(60), flags BIGINT)',
        "action_logs (action_id $id, user INT NOT NULL DEFAULT 0, module TEXT, action TEXT, object INT, info MEDIUMTEXT, timestamp DATETIME)",
        'userflags (bit INT PRIMARY KEY, flag VARCHAR(30))',
        'permissions (module_bit INT, code VARCHAR(64), PRIMARY KEY (module_bit, code))',
        'user_permissions (borrowernumber INT NOT NULL, module_bit INT NOT NULL, code VARCHAR(64))',
        "circulation_rules (id $id, branchcode VARCHAR(10), categorycode VARCHAR(10), itemtype VARCHAR(10),"
        . ' rule_name VARCHAR(32) NOT NULL, rule_value VARCHAR(32) NOT NULL,'
        . ' UNIQUE (branchcode, categorycode, itemtype, rule_name))',
        'plugin_data (plugin_class VARCHAR(255), plugin_key VARCHAR(255), plugin_value MEDIUMTEXT,'
        . ' PRIMARY KEY (plugin_class, plugin_key))',
        'plugin_methods (plugin_class VARCHAR(255) NOT NULL, plugin_method VARCHAR(255) NOT NULL,'
        . ' PRIMARY KEY (plugin_class, plugin_method))',
        "borrower_attribute_types (code VARCHAR($code_length) PRIMARY KEY, description VARCHAR(255),"
        . ' repeatable INT DEFAULT 0, unique_id INT DEFAULT 0, mandatory INT DEFAULT 0, opac_display INT DEFAULT 0,'
        . ' opac_editable INT DEFAULT 0, staff_searchable INT DEFAULT 0, display_checkout INT DEFAULT 0,'
        . ' category_code VARCHAR(10))',
        'categories (categorycode VARCHAR(10) PRIMARY KEY, description VARCHAR(255), category_type VARCHAR(1),'
        . ' enrolmentperiod INT, enrolmentfee DECIMAL(28,6))',
        "branches (branchcode VARCHAR(10) PRIMARY KEY, branchname VARCHAR(255))",
        "api_keys (patron_id INT NOT NULL, client_id VARCHAR(191), secret VARCHAR(191),"
        . ' description VARCHAR(255), active INT NOT NULL DEFAULT 1)',
        'oauth_access_tokens (access_token VARCHAR(191) PRIMARY KEY, client_id VARCHAR(191) NOT NULL, expires INT NOT NULL)',
        "items (itemnumber $id, barcode VARCHAR(20) $nocase UNIQUE)",
        'borrower_attribute_types_branches (bat_code VARCHAR(64), b_branchcode VARCHAR(10))',
        "background_jobs (id $id, status VARCHAR(32), type VARCHAR(64), queue VARCHAR(191), size INT, progress INT,"
        . ' data LONGTEXT, context LONGTEXT, borrowernumber INT)',
        "borrower_attributes (borrowernumber INT, code VARCHAR(64), attribute VARCHAR(255)$keys)",
        'restriction_types (code VARCHAR(50) PRIMARY KEY, display_text TEXT NOT NULL,'
        . ' is_system INT NOT NULL DEFAULT 0, is_default INT NOT NULL DEFAULT 0)',
        "borrower_debarments (borrower_debarment_id $id, borrowernumber INT NOT NULL, expiration DATE,"
        . ' type VARCHAR(50) NOT NULL REFERENCES restriction_types (code), comment MEDIUMTEXT, manager_id INT)',
        );

    # installer/data/mysql/en/mandatory/patron_restriction_types.yml
    $dbh->do( 'INSERT INTO restriction_types VALUES (?, ?, ?, ?)', undef, @{$_} )
        foreach [ 'MANUAL', 'Manual', 0, 1 ], [ 'OVERDUES', 'Overdues', 1, 0 ],
        [ 'SUSPENSION', 'Suspension', 1, 0 ], [ 'DISCHARGE', 'Discharge', 1, 0 ];
    _fill_permissions($dbh);

    return;
}

# Of installer/data/mysql/mandatory/userflags.sql and userpermissions.sql, as far as the plugin names them.
sub _fill_permissions {
    my ($dbh) = @_;

    my %bit = (
        superlibrarian => 0,
        circulate      => 1,
        catalogue      => 2,
        parameters     => 3,
        borrowers      => 4,
        permissions    => 5,
        staffaccess    => 17,
        plugins        => 19
    );
    my %codes = (
        circulate => [qw( circulate_remaining_permissions )],
        borrowers =>
            [qw( edit_borrowers list_borrowers view_borrower_infos_from_any_libraries delete_borrowers )],
        parameters =>
            [qw( manage_sysprefs manage_patron_categories manage_patron_attributes manage_circ_rules )],
    );
    foreach my $flag ( sort keys %bit ) {
        $dbh->do( 'INSERT INTO userflags (bit, flag) VALUES (?, ?)',          undef, $bit{$flag}, $flag );
        $dbh->do( 'INSERT INTO permissions (module_bit, code) VALUES (?, ?)', undef, $bit{$flag}, $_ )
            foreach @{ $codes{$flag} // [] };
    }

    return;
}

sub tables {
    my ($dbh) = @_;

    return $dbh->selectcol_arrayref(
        is_mariadb() ? 'SHOW TABLES' : q{SELECT name FROM sqlite_master WHERE type = 'table'} );
}

# Runs the work and returns the statements that the database saw.
sub statements_of {
    my ( $dbh, $work ) = @_;

    return _logged( $dbh, $work ) if is_mariadb();

    my @statements;
    $dbh->sqlite_trace( sub { push @statements, $_[0] } );
    my $ok    = eval { $work->(); 1 };
    my $error = $@;
    $dbh->sqlite_trace(undef);
    die $error if !$ok;

    return @statements;
}

# As the server itself wrote them down.
sub _logged {
    my ( $dbh, $work ) = @_;

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
    my ( $dbh, $statement ) = @_;

    if ( is_mariadb() ) {
        my $plan = $dbh->selectall_arrayref( "EXPLAIN $statement", { Slice => {} } );
        return !grep {
            ( $_->{type} // q{} ) =~ m{\A (?: ALL | index ) \z}xms && $_->{table} !~ m{<union | \A t \z}xms
        } @{$plan};
    }

    my $plan = $dbh->selectall_arrayref("EXPLAIN QUERY PLAN $statement");
    return !grep { $_->[3] =~ m{SCAN [ ] borrowers}xms } @{$plan};
}

1;

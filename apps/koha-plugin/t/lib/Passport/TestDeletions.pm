package Passport::TestDeletions;

# Koha's tables that speak of what a patron has, as far as a deletion looks at them.

use Modern::Perl;

use Exporter qw( import );

use Passport::TestDatabase;

our @EXPORT_OK = qw( add_columns add_later_tables );

sub add_columns {
    my ($dbh) = @_;

    my ( $ends, $key )
        = Passport::TestDatabase::is_mariadb()
        ? ( ' ENGINE=InnoDB', ', FOREIGN KEY (borrowernumber) REFERENCES borrowers (borrowernumber)' )
        : ( q{}, q{} );

    $dbh->do("ALTER TABLE borrowers ADD $_")
        foreach (
        'lastseen DATETIME',
        'dateenrolled DATE',
        'privacy INT NOT NULL DEFAULT 1',
        'protected INT NOT NULL DEFAULT 0'
        );
    $dbh->do("CREATE TABLE $_$ends")
        foreach (
        'deletedborrowers (borrowernumber INT, cardnumber VARCHAR(32), userid VARCHAR(75))',
        "issues (borrowernumber INT, issuedate DATETIME, date_due DATETIME$key)",
        'old_issues (borrowernumber INT, issuedate DATETIME, returndate DATETIME)',
        "reserves (borrowernumber INT, reservedate DATE$key)",
        'old_reserves (borrowernumber INT, reservedate DATE)',
        'accountlines (borrowernumber INT, amountoutstanding DECIMAL(28, 6))',
        'borrower_relationships (guarantor_id INT, guarantee_id INT)',
        'virtualshelves (owner INT)',
        );

    return;
}

# Of later releases, with the columns that are looked at, by their names there.
sub add_later_tables {
    my ($dbh) = @_;

    my $ends = Passport::TestDatabase::is_mariadb() ? ' ENGINE=InnoDB' : q{};
    $dbh->do("CREATE TABLE $_$ends")
        foreach (
        'recalls (patron_id INT NOT NULL, completed TINYINT NOT NULL DEFAULT 0)',
        'bookings (patron_id INT NOT NULL, end_date DATETIME)',
        'article_requests (borrowernumber INT NOT NULL, status VARCHAR(20) NOT NULL)',
        'illrequests (borrowernumber INT, completed DATE)',
        );

    return;
}

1;

package Koha::Patron::Debarments;

# Stands in for Koha's module in these tests: what it writes, and how it sums that up in the patron's own row. On SQLite nothing
# else refuses a type that is not there.

use Modern::Perl;

use C4::Context;
use Koha::Patron::Restriction::Types;

our $WRITES = 0;

sub AddDebarment {
    my ($params) = @_;

    my ( $number, $type, $expiration, $comment )
        = @{$params}{qw( borrowernumber type expiration comment )};
    die "no such type\n" if !Koha::Patron::Restriction::Types->find($type);
    C4::Context->dbh->do(
        'INSERT INTO borrower_debarments (borrowernumber, type, expiration, comment, manager_id) VALUES (?, ?, ?, ?, ?)',
        undef, $number, $type, $expiration, $comment, C4::Context->userenv->{number}
    );

    return _sum_up($number);
}

sub ModDebarment {
    my ($params) = @_;

    my $dbh = C4::Context->dbh;
    my $id  = delete $params->{borrower_debarment_id};
    $params->{manager_id} = C4::Context->userenv->{number};
    my @names = sort keys %{$params};
    my $sets  = join q{, }, map {"$_ = ?"} @names;
    $dbh->do( "UPDATE borrower_debarments SET $sets WHERE borrower_debarment_id = ?",
        undef, @{$params}{@names}, $id );

    return _sum_up( _number_of($id) );
}

sub DelDebarment {
    my ($id) = @_;

    my $number = _number_of($id);
    C4::Context->dbh->do( 'DELETE FROM borrower_debarments WHERE borrower_debarment_id = ?', undef, $id );

    return _sum_up($number);
}

sub _number_of {
    my ($id) = @_;

    return
        scalar C4::Context->dbh->selectrow_array(
        'SELECT borrowernumber FROM borrower_debarments WHERE borrower_debarment_id = ?',
        undef, $id );
}

# As UpdateBorrowerDebarmentFlags: the last day of all, for ever where one has none.
sub _sum_up {
    my ($number) = @_;

    $WRITES++;
    my ( $count, $endless, $last ) = C4::Context->dbh->selectrow_array(
        'SELECT COUNT(*), COUNT(*) - COUNT(expiration), MAX(expiration) FROM borrower_debarments'
            . ' WHERE (expiration > NOW() OR expiration IS NULL) AND borrowernumber = ?',
        undef, $number
    );
    my $until = $count ? ( $endless ? '9999-12-31' : $last ) : undef;

    return C4::Context->dbh->do( 'UPDATE borrowers SET debarred = ? WHERE borrowernumber = ?',
        undef, $until, $number );
}

1;

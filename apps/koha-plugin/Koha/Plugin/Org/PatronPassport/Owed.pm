package Koha::Plugin::Org::PatronPassport::Owed;

use Modern::Perl;

use Koha::Plugin::Org::PatronPassport::Tables qw( despite_missing );

my $MOST_ROWS = 200;
my $CENTS     = 100;

# Koha's own measures: what is due before now (GetOverduesForPatron, "overdues" of Koha::Patron), and the balance of the account,
# credits included (Koha::Account, balance). Each is a query over an index.
my $PAGE = <<'SQL';
SELECT c.patron_id, c.home_key,
    (SELECT COUNT(*) FROM borrower_attributes a WHERE a.borrowernumber = c.patron_id AND a.code = ?) AS home_keys,
    (SELECT MAX(a.attribute) FROM borrower_attributes a WHERE a.borrowernumber = c.patron_id AND a.code = ?) AS home_key_now,
    (SELECT COUNT(*) FROM issues i WHERE i.borrowernumber = c.patron_id AND i.date_due < NOW()) AS overdues,
    (SELECT SUM(l.amountoutstanding) FROM accountlines l WHERE l.borrowernumber = c.patron_id) AS balance
SQL

=head1 NAME

Koha::Plugin::Org::PatronPassport::Owed - overdue checkouts and debts of copies, as numbers

=head1 DESCRIPTION

What a home library may know of its patrons here: how many checkouts are overdue, and what is owed. No title, no item, no kind of
fee. Only of records that the service has written into and that still have exactly that home key: what an own patron of the library
owes, into whom a copy was merged or who was one, is nobody else's business.

=head1 METHODS

=head2 new

    my $owed = Koha::Plugin::Org::PatronPassport::Owed->new( { dbh => $dbh, table => $copies_table } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { dbh => $args->{dbh}, table => $args->{table} }, $class;
}

=head2 page

    my $page = $owed->page( { home_key_type => 'PASSPORTED_ID', after => 811, limit => 100 } );

Looks at the next copies by the patron's number, 200 at most, and returns those C<rows> with something overdue or owed, how many
copies were C<read>, and C<next>, after which number the next page begins; undef at the end.

=cut

sub page {
    my ( $self, $wanted ) = @_;

    my ( $type, $after, $limit ) = @{$wanted}{qw( home_key_type after limit )};
    $limit = $MOST_ROWS if !$limit || $limit > $MOST_ROWS;
    my $sql    = "$PAGE FROM $self->{table} c WHERE c.patron_id > ? ORDER BY c.patron_id LIMIT " . int $limit;
    my $copies = despite_missing(
        $self->{dbh},
        copies => $self->{table},
        sub {
            return $self->{dbh}->selectall_arrayref( $sql, { Slice => {} }, $type, $type, $after // 0 );
        }
    );
    my @own = grep { $_->{home_keys} == 1 && $_->{home_key_now} eq $_->{home_key} } @{$copies};

    return {
        rows => [ grep { $_->{overdues} > 0 || $_->{amount} > 0 } map { _row($_) } @own ],
        read => scalar @own,
        next => @{$copies} == $limit ? 0 + $copies->[-1]{patron_id} : undef,
    };
}

# The amount in hundredths. What the library owes the patron is nothing that the patron owes.
sub _row {
    my ($copy) = @_;

    my $amount = sprintf '%.0f', $CENTS * ( $copy->{balance} // 0 );

    return {
        patron_id => 0 + $copy->{patron_id},
        home_key  => $copy->{home_key},
        overdues  => 0 + $copy->{overdues},
        amount    => $amount > 0 ? 0 + $amount : 0,
    };
}

1;

package Koha::Plugin::Org::PatronPassport::Patrons;

use Modern::Perl;

use Exporter qw( import );
use Koha;

use Koha::Plugin::Org::PatronPassport::Tables qw( despite_missing );

our @EXPORT_OK = qw( find_known is_known );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Patrons - the look-up that Koha is about to make

=head1 FUNCTIONS

=head2 is_known

    if ( is_known( $dbh, 'staff', $card ) ) { ... }

True when Koha will find somebody.

=head2 find_known

    my $patron = find_known( $dbh, 'staff', $card, $table_of_copies ) or ...;

Whom Koha will find: C<< { copy => 812, seen_at => 1_795_597_200 } >>, where C<copy> is Koha's number of a copy that the service made
(undef for everybody else), and C<seen_at> when a scan of it was last reported.

One query over indexes: by card, and for SIP as Koha looks there, by login name, by card and, from 26.05 on, by any
unique attribute (C<Koha::Patrons-E<gt>find_by_identifier>, bug 41383). It matches what Koha will match: the database's
collation decides, not we.

=cut

my $BY_CARD      = 'FROM borrowers b %s WHERE b.cardnumber = ?';
my $BY_LOGIN     = 'FROM borrowers b %s WHERE b.userid = ?';
my $BY_ATTRIBUTE = 'FROM borrower_attributes b JOIN borrower_attribute_types t ON t.code = b.code %s'
    . ' WHERE t.unique_id = 1 AND b.attribute = ?';

my $ATTRIBUTES_SINCE = 2605;

sub is_known {
    my ( $dbh, $interface, $card ) = @_;

    return _first( $dbh, $interface, $card, '1', q{} ) ? 1 : 0;
}

sub find_known {
    my ( $dbh, $interface, $card, $table ) = @_;

    my $with_copies = "LEFT JOIN $table c ON c.patron_id = b.borrowernumber";
    my $found       = despite_missing(
        $dbh,
        copies => $table,
        sub { return scalar _first( $dbh, $interface, $card, 'c.patron_id, c.seen_at', $with_copies ) }
    );

    return $found ? { copy => $found->[0], seen_at => $found->[1] } : undef;
}

sub _first {
    my ( $dbh, $interface, $card, $columns, $tables ) = @_;

    my @ways
        = map { sprintf "SELECT $columns $_", $tables } $interface eq 'sip' ? _ways_of_sip() : ($BY_CARD);
    my $sql = join( ' UNION ALL ', @ways ) . ' LIMIT 1';

    # an error must not print the statement: the card is in it
    local $dbh->{PrintError}         = 0;
    local $dbh->{ShowErrorStatement} = 0;

    return $dbh->selectrow_arrayref( $sql, undef, ($card) x @ways );
}

sub _ways_of_sip {
    my ( $year, $month ) = Koha::version() =~ m{\A ([0-9]+) [.] ([0-9]+) }xms;
    my $has_attributes = 100 * ( $year // 0 ) + ( $month // 0 ) >= $ATTRIBUTES_SINCE;

    return ( $BY_LOGIN, $BY_CARD, $has_attributes ? $BY_ATTRIBUTE : () );
}

1;

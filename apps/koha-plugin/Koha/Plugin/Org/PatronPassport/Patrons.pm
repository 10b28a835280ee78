package Koha::Plugin::Org::PatronPassport::Patrons;

use Modern::Perl;

use Exporter qw( import );
use Koha;

our @EXPORT_OK = qw( is_known );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Patrons - the look-up that Koha is about to make

=head1 FUNCTIONS

=head2 is_known

    if ( is_known( $dbh, 'staff', $card ) ) { ... }

One query over indexes: by card, and for SIP as Koha looks there, by login name, by card and, from 26.05 on, by any
unique attribute (C<Koha::Patrons-E<gt>find_by_identifier>, bug 41383). It matches what Koha will match: the database's
collation decides, not we.

=cut

my $BY_CARD      = 'SELECT 1 FROM borrowers WHERE cardnumber = ?';
my $BY_LOGIN     = 'SELECT 1 FROM borrowers WHERE userid = ?';
my $BY_ATTRIBUTE = 'SELECT 1 FROM borrower_attributes a JOIN borrower_attribute_types t ON t.code = a.code'
    . ' WHERE t.unique_id = 1 AND a.attribute = ?';

my $ATTRIBUTES_SINCE = 2605;

sub is_known {
    my ( $dbh, $interface, $card ) = @_;

    my @ways = $interface eq 'sip' ? _ways_of_sip() : ($BY_CARD);
    my $sql  = join( ' UNION ALL ', @ways ) . ' LIMIT 1';

    # an error must not print the statement: the card is in it
    local $dbh->{PrintError}         = 0;
    local $dbh->{ShowErrorStatement} = 0;

    my ($known) = $dbh->selectrow_array( $sql, undef, ($card) x @ways );

    return $known ? 1 : 0;
}

sub _ways_of_sip {
    my ( $year, $month ) = Koha::version() =~ m{\A ([0-9]+) [.] ([0-9]+) }xms;
    my $has_attributes = 100 * ( $year // 0 ) + ( $month // 0 ) >= $ATTRIBUTES_SINCE;

    return ( $BY_LOGIN, $BY_CARD, $has_attributes ? $BY_ATTRIBUTE : () );
}

1;

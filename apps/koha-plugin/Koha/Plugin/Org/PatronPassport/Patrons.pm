package Koha::Plugin::Org::PatronPassport::Patrons;

use Modern::Perl;

use Exporter qw( import );

our @EXPORT_OK = qw( is_known );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Patrons - the look-up that Koha is about to make

=head1 FUNCTIONS

=head2 is_known

    if ( is_known( $dbh, 'staff', $card ) ) { ... }

One query over unique indexes: by card, and for SIP by login name first, as Koha does there. It matches what Koha
will match: the database's collation decides, not we.

=cut

my %KNOWN_BY = (
    staff      => ['cardnumber'],
    self_check => ['cardnumber'],
    sip        => [ 'userid', 'cardnumber' ],
);

sub is_known {
    my ( $dbh, $interface, $card ) = @_;

    my @columns = @{ $KNOWN_BY{$interface} };
    my $sql     = join( ' UNION ALL ', map {"SELECT 1 FROM borrowers WHERE $_ = ?"} @columns ) . ' LIMIT 1';

    # an error must not print the statement: the card is in it
    local $dbh->{PrintError}         = 0;
    local $dbh->{ShowErrorStatement} = 0;

    my ($known) = $dbh->selectrow_array( $sql, undef, ($card) x @columns );

    return $known ? 1 : 0;
}

1;

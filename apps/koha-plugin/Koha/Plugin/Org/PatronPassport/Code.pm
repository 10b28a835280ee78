package Koha::Plugin::Org::PatronPassport::Code;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;

use Koha::Plugin::Org::PatronPassport::Card qw( trimmed );

our @EXPORT_OK = qw( barcode_of is_item );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Code - what a scanned code is in this Koha

=head1 FUNCTIONS

=head2 barcode_of

    my $barcode = barcode_of($scanned);

The barcode as this Koha looks an item up at the desk, where a scanned one is cleaned first (circ/circulation.pl; the API does not); undef
for an empty text.

=cut

sub barcode_of {
    my ($scanned) = @_;

    my $barcode = trimmed($scanned);

    # much, and most requests that load the plugin look no item up
    require C4::Circulation;

    return length $barcode ? C4::Circulation::barcodedecode($barcode) : undef;
}

=head2 is_item

    if ( is_item($scanned) ) { ... }

True where an item here has it: one query over an index (kohastructure.sql, itembarcodeidx). An error must not print the statement: the code
is in it.

=cut

sub is_item {
    my ($scanned) = @_;

    my $dbh = C4::Context->dbh;
    local $dbh->{PrintError}         = 0;
    local $dbh->{ShowErrorStatement} = 0;

    my ($found)
        = $dbh->selectrow_array( 'SELECT 1 FROM items WHERE barcode = ?', undef, barcode_of($scanned) );

    return $found ? 1 : 0;
}

1;

package C4::SIP::Sip::MsgType;

# Stands in for Koha's SIP server in these tests: which messages call the hook, and from where.

use Modern::Perl;

use C4::Context;
use Koha;
use Koha::Plugins;

sub handle_checkout {
    my ($patron_id) = @_;

    Koha::Plugins->call( 'patron_barcode_transform', \$patron_id );

    return _find($patron_id);
}

sub handle_patron_info {
    my ($patron_id) = @_;

    Koha::Plugins->call( 'patron_barcode_transform', \$patron_id );

    return _find($patron_id);
}

sub handle_block_patron {
    my ($patron_id) = @_;

    Koha::Plugins->call( 'patron_barcode_transform', \$patron_id );

    return _find($patron_id);
}

sub handle_fee_paid {
    my ($patron_id) = @_;

    Koha::Plugins->call( 'patron_barcode_transform', \$patron_id );

    return _find($patron_id);
}

sub handle_patron_status {
    my ($patron_id) = @_;

    return _find($patron_id);
}

sub _find {
    my ($patron_id) = @_;

    foreach my $column (qw( userid cardnumber )) {
        my ($id)
            = C4::Context->dbh->selectrow_array( "SELECT borrowernumber FROM borrowers WHERE $column = ?",
            undef, $patron_id );
        return $id if $id;
    }
    return if Koha::version() lt '26.05';

    # Koha::Patrons->find_by_identifier
    my ($id) = C4::Context->dbh->selectrow_array(
        'SELECT a.borrowernumber FROM borrower_attributes a JOIN borrower_attribute_types t ON t.code = a.code'
            . ' WHERE a.attribute = ? AND t.unique_id = 1 LIMIT 1',
        undef, $patron_id
    );

    return $id;
}

1;

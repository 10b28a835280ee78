# Stands in for Koha's checkout page in these tests: who is found when a card or, with AutoSwitchPatron, an item
# barcode is scanned. It returns where the browser ends up.

use Modern::Perl;

use CGI;
use C4::Context;
use Koha::Plugins;

my $query   = CGI->new;
my $barcode = $query->param('barcode');
my $found   = q{};

if ( C4::Context->preference('AutoSwitchPatron') && $barcode ) {
    my $new_barcode = $barcode;
    Koha::Plugins->call( 'patron_barcode_transform', \$new_barcode );
}

if ( my $card = $query->param('findborrower') ) {
    Koha::Plugins->call( 'patron_barcode_transform', \$card );
    my ($id) = C4::Context->dbh->selectrow_array( 'SELECT borrowernumber FROM borrowers WHERE cardnumber = ?',
        undef, $card );
    $found = $id ? "circulation.pl?borrowernumber=$id" : "member.pl?circsearch=1&searchmember=$card";
}

$found;

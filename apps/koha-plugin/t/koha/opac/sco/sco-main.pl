# Stands in for Koha's self-check page in these tests: who is found, or 'nouser'.

use Modern::Perl;

use CGI;
use C4::Context;
use Koha::Plugins;

my $card = CGI->new->param('patronid');
Koha::Plugins->call( 'patron_barcode_transform', \$card );
my ($id) = C4::Context->dbh->selectrow_array( 'SELECT borrowernumber FROM borrowers WHERE cardnumber = ?',
    undef, $card );

$id ? "borrowernumber=$id" : 'nouser';

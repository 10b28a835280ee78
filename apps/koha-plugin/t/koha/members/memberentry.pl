# Stands in for Koha's patron form in these tests: it calls the hook with the card that was typed.

use Modern::Perl;

use CGI;
use Koha::Plugins;

my $cardnumber = CGI->new->param('cardnumber');
Koha::Plugins->call( 'patron_barcode_transform', \$cardnumber );

$cardnumber;

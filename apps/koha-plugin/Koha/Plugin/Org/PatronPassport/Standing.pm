package Koha::Plugin::Org::PatronPassport::Standing;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;

use Koha::Plugin::Org::PatronPassport::Caller    qw( sent );
use Koha::Plugin::Org::PatronPassport::Card      qw( trimmed );
use Koha::Plugin::Org::PatronPassport::FirstScan qw( final_card find_known );

our @EXPORT_OK = qw( standing_on_page );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Standing - whose standing the checkout page shows

=head1 FUNCTIONS

=head2 standing_on_page

    my $standing = standing_on_page($plugin);

On C<circ/circulation.pl> with the checkout of a copy: what the desk is shown of the copy
(L<Koha::Plugin::Org::PatronPassport::Copies>, C<standing_of>); undef on the checkout page of anybody else, and of a copy that this user
may not see. One query of this Koha's own database, some of Koha's for a copy, and none for the page without a patron; the service is not called. Where Koha has C<AutoSwitchPatron>, an item costs one more:
a card in its place is whose checkout the page then is.

=cut

sub standing_on_page {
    my ($plugin) = @_;

    my $switched = _switched($plugin);
    return defined $switched->{copy} ? $plugin->copies->standing_of( { borrowernumber => $switched->{copy} } ) : undef
        if $switched;

    my $number = sent('borrowernumber');
    return $plugin->copies->standing_of( { borrowernumber => $number } ) if $number =~ m{\A [0-9]{1,15} \z}xms;

    my $scanned = sent('findborrower');
    return if !length $scanned;

    return $plugin->copies->standing_of( { cardnumber => trimmed( final_card( $plugin, $scanned ) ) } );
}

# Whose card was scanned as an item (circ/circulation.pl: then it forgets the patron whose page that was).
sub _switched {
    my ($plugin) = @_;

    my $scanned = sent('barcode');
    return if !length $scanned || !C4::Context->preference('AutoSwitchPatron');

    return find_known( $plugin->copies, 'staff', trimmed( final_card( $plugin, $scanned ) ) );
}

1;

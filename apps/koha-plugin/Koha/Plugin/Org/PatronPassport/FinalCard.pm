package Koha::Plugin::Org::PatronPassport::FinalCard;

use Modern::Perl;

use Exporter qw( import );
use Koha::Plugins;

our @EXPORT_OK = qw( final_card );

=head1 NAME

Koha::Plugin::Org::PatronPassport::FinalCard - the card as Koha will look it up

=head1 FUNCTIONS

=head2 final_card

    my $final = final_card( $plugin, $card );

Koha hands a card from plugin to plugin (C<Koha::Plugins-E<gt>call>) and looks up what the last one made of it. Those
before us have run; those after us are called here, with a copy. An error in one of them is Koha's to report,
when it calls them itself.

=cut

sub final_card {
    my ( $plugin, $card ) = @_;

    my $final = $card;
    foreach my $other ( _called_after($plugin) ) {
        my $rewritten = $final;
        next                if !eval { $other->patron_barcode_transform( \$rewritten ); 1 };
        $final = $rewritten if !ref $rewritten && length( $rewritten // q{} );
    }

    return $final;
}

# Koha keeps the list for the request: no query, and the order in which it calls them.
sub _called_after {
    my ($plugin) = @_;

    my @plugins = eval { Koha::Plugins->get_enabled_plugins( { verbose => 0 } ) };
    shift @plugins while @plugins && ref $plugins[0] ne ref $plugin;
    shift @plugins;

    return grep { $_->can('patron_barcode_transform') } @plugins;
}

1;

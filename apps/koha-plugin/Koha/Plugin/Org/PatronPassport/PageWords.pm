package Koha::Plugin::Org::PatronPassport::PageWords;

use Modern::Perl;

use Exporter   qw( import );
use Mojo::File qw( path );
use Mojo::JSON qw( decode_json );

our @EXPORT_OK = qw( filled page_words shown_check );

=head1 NAME

Koha::Plugin::Org::PatronPassport::PageWords - the texts of the plugin's pages, in the language of the page

=head1 FUNCTIONS

=head2 page_words

    my ( $language, $words ) = page_words( $plugin->bundle_path, 'fr-FR', 'configure.json' );

The texts of a catalogue in the language that Koha shows its pages in (C4::Languages, getlanguage: C<en>, C<fr-FR>, C<de-DE>), or in English,
and which language that is.

=cut

sub page_words {
    my ( $folder, $wanted, $name ) = @_;

    state %catalogues;
    my $catalogue = $catalogues{$name} //= decode_json( path( $folder, $name )->slurp );

    my ($base)     = ( $wanted // q{} ) =~ m{\A ( [A-Za-z]+ ) }xms;
    my ($language) = grep { defined && exists $catalogue->{$_} } $wanted, lc( $base // q{} ), 'en';

    return ( $language, $catalogue->{$language} );
}

=head2 filled

    my $sentence = filled( $words, { key => 'fault_wait', most => 5000 } );

A sentence with its blanks filled; what is not given stays empty.

=cut

sub filled {
    my ( $words, $said ) = @_;

    return $words->{ $said->{key} } =~ s{ [{] (\w+) [}] }{ $said->{$1} // q{} }gexmsr;
}

=head2 shown_check

    my $row = shown_check( $check, $words );

A finding of the set-up check (L<Koha::Plugin::Org::PatronPassport::SetupCheck>) in words, as both pages list it.

=cut

sub shown_check {
    my ( $check, $words ) = @_;

    return {
        id     => $check->{id},
        level  => $check->{level},
        mark   => $words->{"level_$check->{level}"},
        text   => filled( $words, $check->{say} ),
        remedy => $check->{remedy} ? filled( $words, $check->{remedy} ) : q{},
    };
}

1;

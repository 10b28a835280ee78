package Koha::Plugin::Org::PatronPassport::About;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Koha::Patron::Attribute::Types;
use Mojo::JSON  ();
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Event qw( timestamp );

my @FLAGS = qw( unique_id repeatable mandatory opac_display opac_editable staff_searchable );

# What decides how copies are made and how cards are found; none of them holds a secret.
my @PREFERENCES = qw(
    AutoEmailNewUser autoMemberNum AutoSwitchPatron CardnumberLength ChildNeedsGuarantor EmailPatronRegistrations
    EnhancedMessagingPreferences ExtendedPatronAttributes IndependentBranches itemBarcodeInputFilter
    PatronDuplicateMatchingAddFields RESTBasicAuth RESTOAuth2ClientCredentials SelfCheckoutByLogin
    TrackLastPatronActivityTriggers uppercasesurnames WebBasedSelfCheck
);

our @EXPORT_OK = qw( about_koha types_with_libraries );

=head1 NAME

Koha::Plugin::Org::PatronPassport::About - what C<passport doctor> cannot learn from Koha's own API

=head1 FUNCTIONS

=head2 about_koha

    my $facts = about_koha($plugin_version);

=cut

sub about_koha {
    my ($version) = @_;

    my $limited = types_with_libraries();

    return {
        version         => $version,
        koha_version    => Koha::version(),
        time            => timestamp( Time::HiRes::time() ),
        attribute_types => [ map { _type( $_, $limited ) } Koha::Patron::Attribute::Types->search->as_list ],
        preferences     => { map { $_ => _text( C4::Context->preference($_) ) } @PREFERENCES },
        plack_workers   => _number( C4::Context->config('plack_workers') ),
    };
}

sub _type {
    my ( $type, $limited ) = @_;

    my $row = $type->unblessed;

    my %is = ( %{$row}, mandatory => $row->{mandatory} && !$limited->{ $row->{code} } );

    return {
        code        => $row->{code},
        category_id => _text( $row->{category_code} ),
        map { $_ => $is{$_} ? Mojo::JSON->true : Mojo::JSON->false } @FLAGS
    };
}

=head2 types_with_libraries

    my $limited = types_with_libraries();

The codes of the patron attribute types that belong to some libraries only, as keys. Koha's API requires none of them, mandatory or not.

=cut

sub types_with_libraries {
    my $codes
        = C4::Context->dbh->selectcol_arrayref(
        'SELECT DISTINCT bat_code FROM borrower_attribute_types_branches');

    return { map { $_ => 1 } @{$codes} };
}

sub _text {
    my ($value) = @_;

    return defined $value ? "$value" : undef;
}

sub _number {
    my ($value) = @_;

    return !ref $value && ( $value // q{} ) =~ m{\A [0-9]{1,4} \z}xms ? 0 + $value : undef;
}

1;

package Koha::Plugin::Org::PatronPassport::Problem;

use Modern::Perl;

use Exporter qw( import );

our @EXPORT_OK = qw( report );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Problem - writes down that something broke, without what it broke on

=head1 FUNCTIONS

=head2 report

    report( 'the hook', $@ );

An error's own words can hold a card number (a database repeats the values it was given), so only its kind and its
place go to Koha's log.

=cut

sub report {
    my ( $where, $error ) = @_;

    my $kind = ref $error || 'error';
    my ($place) = "$error" =~ m{ \s at \s ( \S+ \s line \s [0-9]+ ) }xms;
    $place //= 'an unknown place';

    warn "Patron Passport: $where failed ($kind at $place)\n";

    return;
}

1;

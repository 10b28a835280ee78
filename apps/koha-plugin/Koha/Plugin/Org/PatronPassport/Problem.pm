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
place go to Koha's log. A class or a method that is not there is named too: Perl's own words for it hold no value.

=cut

sub report {
    my ( $where, $error ) = @_;

    my $kind    = ref $error || 'error';
    my $missing = _missing("$error");
    my ($place) = "$error" =~ m{ \s at \s ( \S+ \s line \s [0-9]+ ) }xms;
    $place //= 'an unknown place';

    warn "Patron Passport: $where failed ($kind at $place$missing)\n";

    return;
}

# Of a class that ours or Koha's code can name. Perl says the same of a value that a method was called on.
my $CLASS = qr{(?: Koha | C4 | DBIx | Mojo | Crypt ) (?: :: \w+ )*}xms;

sub _missing {
    my ($words) = @_;

    return ": no method $1 in $2"
        if $words =~ m{Can't [ ] locate [ ] object [ ] method [ ] "(\w+)" [ ] via [ ] package [ ] "($CLASS)"}xms;
    return ": no file $1" if $words =~ m{Can't [ ] locate [ ] ([\w/]+ [.]pm) [ ] in [ ] [@]INC}xms;
    return ": no sub $1"  if $words =~ m{Undefined [ ] subroutine [ ] &($CLASS) [ ] called}xms;

    return q{};
}

1;

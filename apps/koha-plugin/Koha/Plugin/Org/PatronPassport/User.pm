package Koha::Plugin::Org::PatronPassport::User;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha::Patrons;

our @EXPORT_OK = qw( current_user may_see );

=head1 NAME

Koha::Plugin::Org::PatronPassport::User - who is at the desk, and whom they may see

=head1 FUNCTIONS

=head2 current_user

    my $user = current_user() or ...;

Whoever is logged in, as a L<Koha::Patron>; undef where nobody is.

=cut

sub current_user {
    return scalar Koha::Patrons->find( ( C4::Context->userenv // {} )->{number} // 0 );
}

=head2 may_see

    if ( may_see($borrowernumber) ) { ... }

Whether they may see this patron: libraries can hide their patrons from the staff of others (C<can_see_patron_infos> of Koha::Patron). False too
for a patron who is not there, so that nobody learns which it is.

=cut

sub may_see {
    my ($number) = @_;

    my $user   = current_user() or return 0;
    my $patron = Koha::Patrons->find($number);

    return $patron && $user->can_see_patron_infos($patron) ? 1 : 0;
}

1;

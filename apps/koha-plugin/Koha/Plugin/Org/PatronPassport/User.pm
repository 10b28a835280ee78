package Koha::Plugin::Org::PatronPassport::User;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha::Patrons;

our @EXPORT_OK = qw( current_user decides may_override may_see );

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

=head2 may_override

    if ( may_override() ) { ... }

Whether they may override what the library's own rules refuse: Koha's permission to force a checkout although something limits it
(C<force_checkout>). A plugin has no permissions of its own.

=cut

sub may_override {
    my $user = current_user() or return 0;

    return $user->has_permission( { circulate => 'force_checkout' } ) ? 1 : 0;
}

=head2 decides

    my @questions = decides();

What they can be asked about a scan of theirs.

=cut

sub decides {
    return ( 'HOME_CHOICE', may_override() ? 'OVERRIDE' : () );
}

1;

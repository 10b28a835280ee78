package Koha::Plugin::Org::PatronPassport::LoansController;

use Modern::Perl;
use Mojo::Base 'Koha::Plugin::Org::PatronPassport::Route';

use C4::Context;
use Koha::Plugin::Org::PatronPassport::Loans qw( days_after );

my $MOST_DAYS = 31;

__PACKAGE__->serves( list => [ 'GET /loans', 'service' ], );

=head1 NAME

Koha::Plugin::Org::PatronPassport::LoansController - the route /api/v1/contrib/passport/loans

=head1 METHODS

=head2 list

C<GET /loans>: checkouts, renewals and returns of copies by day, home library and branch.

=cut

sub list {
    my ( $self, $plugin ) = @_;

    my $wanted = $self->params(qw( passport_type from to ));
    return $self->fault('no_days') if !_is_range( @{$wanted}{qw( from to )} );

    my $page
        = Koha::Plugin::Org::PatronPassport::Loans->new(
        { dbh => C4::Context->dbh, copies => $plugin->copies } )->page($wanted);

    return $page ? $self->ok($page) : $self->fault('no_statistics');
}

# The description checks what they look like. There is no 31st of February, and the range is bounded.
sub _is_range {
    my ( $from, $to ) = @_;

    return 0 if grep { $_ ne days_after( $_, 0 ) } $from, $to;
    return $from le $to && $to lt days_after( $from, $MOST_DAYS ) ? 1 : 0;
}

1;

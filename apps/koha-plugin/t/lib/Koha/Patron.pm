package Koha::Patron;

# Stands in for Koha's class in these tests: Koha calls the hook on every save, and when it makes up a number.

use Modern::Perl;

use C4::Context;
use Koha::Plugins;

sub new {
    my ( $class, $values ) = @_;

    return bless { %{$values} }, $class;
}

sub userid {
    my ($self) = @_;

    return $self->{userid};
}

sub borrowernumber {
    my ($self) = @_;

    return $self->{borrowernumber};
}

sub lang {
    my ($self) = @_;

    return $self->{lang};
}

sub branchcode {
    my ($self) = @_;

    return $self->{branchcode};
}

sub notice_email_address {
    my ($self) = @_;

    return $self->{email};
}

sub store {
    my ($self) = @_;

    my $cardnumber = $self->{cardnumber};
    Koha::Plugins->call( 'patron_barcode_transform', \$cardnumber );
    C4::Context->dbh->do( 'INSERT INTO borrowers (cardnumber, userid) VALUES (?, ?)',
        undef, $cardnumber, $self->{userid} );

    return $self;
}

# Koha calls C4::Auth::haspermission, by the patron's login: what a test granted, or all of a module.
our %PERMISSIONS;

sub has_permission {
    my ( $self, $required ) = @_;

    # A list is any of them (C4/Auth.pm, haspermission).
    return scalar grep { $self->has_permission($_) } @{$required} if ref $required eq 'ARRAY';

    my $granted = $PERMISSIONS{ $self->{borrowernumber} } // {};
    return 1 if $granted->{superlibrarian};
    foreach my $module ( keys %{$required} ) {
        return 0 if !$granted->{$module} && !$granted->{"$module:$required->{$module}"};
    }

    return 1;
}

# By the branch, for a test that hides others.
our $SEES_ALL = 1;

sub can_see_patron_infos {
    my ( undef, $patron ) = @_;

    return $patron && $SEES_ALL ? 1 : 0;
}

# For a test of what fails, and of what comes, in the middle of a deletion.
our $FAILS         = 0;
our $BEFORE_DELETE = sub { };

sub move_to_deleted {
    my ($self) = @_;

    return C4::Context->dbh->do(
        'INSERT INTO deletedborrowers (borrowernumber, cardnumber, userid) VALUES (?, ?, ?)',
        undef, @{$self}{qw( borrowernumber cardnumber userid )} );
}

sub delete {
    my ($self) = @_;

    $BEFORE_DELETE->();
    die "Koha failed\n" if $FAILS;
    C4::Context->dbh->do( 'DELETE FROM borrowers WHERE borrowernumber = ?', undef, $self->{borrowernumber} );

    return $self;
}

sub fixup_cardnumber {
    my ($self) = @_;

    my $made_up;
    Koha::Plugins->call( 'patron_barcode_transform', \$made_up );
    $self->{cardnumber} = $made_up // '90000000000001';

    return $self;
}

1;

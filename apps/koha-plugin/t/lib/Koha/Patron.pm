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
    my $dbh    = C4::Context->dbh;
    my %parent = ( categorycode => 'categories', branchcode => 'branches' );
    foreach my $column ( grep { defined $self->{$_} } sort keys %parent ) {
        my ($is_there) = $dbh->selectrow_array( "SELECT 1 FROM $parent{$column} WHERE $column = ?",
            undef, $self->{$column} );
        die "a foreign key constraint fails: $column\n" if !$is_there;
    }
    my %row     = ( password => q{!}, %{$self}, cardnumber => $cardnumber );
    my @columns = sort keys %row;
    $dbh->do(
        sprintf(
            'INSERT INTO borrowers (%s) VALUES (%s)',
            join( q{, }, @columns ),
            join q{, }, (q{?}) x @columns
        ),
        undef,
        @row{@columns}
    );
    $self->{borrowernumber} = $dbh->last_insert_id( undef, undef, 'borrowers', undef );

    return $self;
}

# Koha calls C4::Auth::haspermission, by the patron's login: what a test granted, or all of a module.
our %PERMISSIONS;

sub has_permission {
    my ( $self, $required ) = @_;

    # A list is any of them (C4/Auth.pm, haspermission).
    return scalar grep { $self->has_permission($_) } @{$required} if ref $required eq 'ARRAY';

    my $granted
        = { %{ $PERMISSIONS{ $self->{borrowernumber} } // {} }, map { $_ => 1 } $self->_stored_permissions };
    return 1 if $granted->{superlibrarian};
    foreach my $module ( keys %{$required} ) {
        return 0 if !$granted->{$module} && !$granted->{"$module:$required->{$module}"};
    }

    return 1;
}

# What members/member-flags.pl stores: whole modules as bits, others one by one.
sub _stored_permissions {
    my ($self) = @_;

    my $dbh = C4::Context->dbh;
    my ($flags) = $dbh->selectrow_array( 'SELECT flags FROM borrowers WHERE borrowernumber = ?',
        undef, $self->{borrowernumber} );
    my $modules = $dbh->selectall_arrayref('SELECT flag, bit FROM userflags');
    my $codes   = $dbh->selectcol_arrayref(
        q{SELECT CONCAT(flag, ':', code) FROM user_permissions JOIN userflags ON bit = module_bit WHERE borrowernumber = ?},
        undef, $self->{borrowernumber}
    );

    return ( @{$codes}, map { $_->[0] } grep { ( $flags // 0 ) & 2**$_->[1] } @{$modules} );
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

# What goes with a patron: the holds by Koha's own code, all else by foreign keys (installer/data/mysql/kohastructure.sql, ON DELETE
# CASCADE). By table, the column of the patron.
my %GOES_WITH = (
    api_keys            => 'patron_id',
    borrower_attributes => 'borrowernumber',
    borrower_debarments => 'borrowernumber',
    message_queue       => 'borrowernumber',
    reserves            => 'borrowernumber',
    user_permissions    => 'borrowernumber',
);

# A test may have made some of Koha's tables only.
sub _has {
    my ($table) = @_;

    return C4::Context->dbh->table_info( undef, undef, $table, 'TABLE' )->fetchrow_arrayref ? 1 : 0;
}

sub delete {
    my ($self) = @_;

    $BEFORE_DELETE->();
    die "Koha failed\n" if $FAILS;
    my $dbh = C4::Context->dbh;
    foreach my $table ( grep { _has($_) } sort keys %GOES_WITH ) {
        $dbh->do( "DELETE FROM $table WHERE $GOES_WITH{$table} = ?", undef, $self->{borrowernumber} );
    }
    $dbh->do( 'DELETE FROM borrowers WHERE borrowernumber = ?', undef, $self->{borrowernumber} );

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

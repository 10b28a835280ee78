package Koha::Plugin::Org::PatronPassport::Deletions;

use Modern::Perl;

use C4::Context;
use Koha::Database;
use Koha::Patrons;

# What keeps a copy, each by a query over an index. Koha's own DELETE refuses for checkouts, debts, guarantees and protection only;
# it cancels holds and deletes lists (Koha::Patron, safe_to_delete and delete), and the foreign keys of recalls, bookings, article
# and ILL requests delete those with the patron. Debt collection, like any other business of the library with this patron, is a
# restriction; one that stands for what the home library says is none of it. Not every release has the tables that are named after their
# query: of them counts what is still open, by the columns that they have in every release (Koha/Schema/Result: Recall, Booking,
# ArticleRequest, Illrequest). Only later ones give a booking a status, so that a cancelled one keeps the copy until its last day.
my @BLOCKS = (
    [ checkouts   => 'FROM issues WHERE borrowernumber = ?' ],
    [ debt        => 'FROM accountlines WHERE borrowernumber = ? AND amountoutstanding > 0' ],
    [ credit      => 'FROM accountlines WHERE borrowernumber = ? AND amountoutstanding < 0' ],
    [ guarantees  => 'FROM borrower_relationships WHERE guarantor_id = ?' ],
    [ holds       => 'FROM reserves WHERE borrowernumber = ?' ],
    [ lists       => 'FROM virtualshelves WHERE owner = ?' ],
    [ restriction => q{FROM borrower_debarments WHERE borrowernumber = ? AND type NOT IN ('PASSPORT_HOME', 'PASSPORT_STANDING')} ],
    [ protected   => 'FROM borrowers WHERE borrowernumber = ? AND protected = 1' ],
    [ staff       => 'FROM borrowers WHERE borrowernumber = ? AND flags > 0' ],
    [ recalls     => 'FROM recalls WHERE patron_id = ? AND completed = 0', 'recalls' ],
    [   bookings => 'FROM bookings WHERE patron_id = ? AND (end_date IS NULL OR end_date >= CURRENT_DATE)',
        'bookings'
    ],
    [   article_requests =>
            q{FROM article_requests WHERE borrowernumber = ? AND status NOT IN ('COMPLETED', 'CANCELED')},
        'article_requests'
    ],
    [ ill_requests => 'FROM illrequests WHERE borrowernumber = ? AND completed IS NULL', 'illrequests' ],
);

my @LAST_USE = (
    'SELECT MAX(issuedate) FROM issues WHERE borrowernumber = ?',
    'SELECT MAX(issuedate) FROM old_issues WHERE borrowernumber = ?',
    'SELECT MAX(returndate) FROM old_issues WHERE borrowernumber = ?',
    'SELECT MAX(reservedate) FROM reserves WHERE borrowernumber = ?',
    'SELECT MAX(reservedate) FROM old_reserves WHERE borrowernumber = ?',
);

my $DAY_LENGTH    = length '2026-11-25';
my $KEEPS_HISTORY = 0;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Deletions - copies that go away, and what keeps them

=head1 METHODS

=head2 new

    my $deletions = Koha::Plugin::Org::PatronPassport::Deletions->new( { dbh => $dbh, copies => $copies } );

C<copies> is what the service wrote into copies, a L<Koha::Plugin::Org::PatronPassport::Copies>.

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { dbh => $args->{dbh}, copies => $args->{copies} }, $class;
}

=head2 describe

    my $facts = $deletions->describe(812);

What keeps this patron, the last day on which anything shows that they were here, and whether Koha would know of a later one:
that it tracks activity, or that this patron's history is kept for ever. Undef when there is no such patron.

=cut

sub describe {
    my ( $self, $patron_id ) = @_;

    my $row
        = $self->{dbh}
        ->selectrow_hashref( 'SELECT lastseen, dateenrolled, privacy FROM borrowers WHERE borrowernumber = ?',
        undef, $patron_id );
    return if !$row;

    my $is_tracked = _tracks_activity() && defined $row->{lastseen};

    return {
        patron_id => 0 + $patron_id,
        blocks    => $self->_blocks($patron_id),
        last_used => $self->_last_used( $patron_id, $row ),
        knows_use => $is_tracked || ( $row->{privacy} // 1 ) == $KEEPS_HISTORY ? \1 : \0,
    };
}

=head2 remove

    my $result = $deletions->remove( 812, { type => 'PASSPORTED_ID', value => 'midland:8' } );

Deletes the copy with this number and this home key, and no other. The service must have written into this very record: a record
that Koha merged a copy into has its home key, and can be the library's own patron. It is done so: in one transaction the row is locked, checked again, moved to Koha's table of
deleted patrons, and deleted, as Koha itself does. Whoever checks out to this patron or places a hold meanwhile has to wait, and
then finds nobody. Returns C<{ kind =E<gt> 'deleted' }>, C<gone>, C<not_this_copy>, or C<blocked> with C<blocks>.

=cut

sub remove {
    my ( $self, $patron_id, $home_key ) = @_;

    return Koha::Database->new->schema->txn_do( sub { return $self->_remove( $patron_id, $home_key ) } );
}

sub _remove {
    my ( $self, $patron_id, $home_key ) = @_;

# changes nothing, and locks the row: what refers to it (a checkout, a hold) cannot come or commit until we have ended
    my $is_there
        = $self->{dbh}->do( 'UPDATE borrowers SET borrowernumber = borrowernumber WHERE borrowernumber = ?',
        undef, $patron_id );
    my $patron = Koha::Patrons->find($patron_id);
    return { kind => 'gone' }          if !$patron || !$is_there;
    return { kind => 'not_this_copy' } if !$self->_is_copy( $patron_id, $home_key );

    my $blocks = $self->_blocks($patron_id);
    return { kind => 'blocked', blocks => $blocks } if @{$blocks};

    $patron->move_to_deleted;
    $patron->delete;

    return { kind => 'deleted' };
}

sub _is_copy {
    my ( $self, $patron_id, $home_key ) = @_;

    my $sql       = 'SELECT attribute FROM borrower_attributes WHERE borrowernumber = ? AND code = ?';
    my $keys      = $self->{dbh}->selectcol_arrayref( $sql, undef, $patron_id, $home_key->{type} );
    my ($written) = $self->{copies}->row( $patron_id, 'home_key' );

    return @{$keys} == 1 && $keys->[0] eq $home_key->{value} && ( $written // q{} ) eq $home_key->{value};
}

sub _blocks {
    my ( $self, $patron_id ) = @_;

    my $dbh = $self->{dbh};
    $self->{of_release}
        //= [ grep { !$_->[2] || $dbh->table_info( undef, undef, $_->[2], 'TABLE' )->fetchrow_arrayref }
            @BLOCKS ];
    my @blocks = map { $_->[0] }
        grep { $dbh->selectrow_array( "SELECT 1 $_->[1] LIMIT 1", undef, $patron_id ) }
        @{ $self->{of_release} };
    push @blocks, 'anonymous_patron'
        if ( C4::Context->preference('AnonymousPatron') // q{} ) eq $patron_id;

    return \@blocks;
}

sub _last_used {
    my ( $self, $patron_id, $row ) = @_;

    my @times = ( $row->{lastseen}, $row->{dateenrolled} );
    push @times, $self->{dbh}->selectrow_array( $_, undef, $patron_id ) foreach @LAST_USE;
    my ($last) = reverse sort map { substr $_, 0, $DAY_LENGTH } grep {defined} @times;

    return $last;
}

# by its name from 24.05 on, and before
sub _tracks_activity {
    return grep { C4::Context->preference($_) } qw( TrackLastPatronActivityTriggers TrackLastPatronActivity );
}

1;

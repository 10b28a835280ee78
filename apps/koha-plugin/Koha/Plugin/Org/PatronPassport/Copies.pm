package Koha::Plugin::Org::PatronPassport::Copies;

use Modern::Perl;

use base qw( Koha::Plugin::Org::PatronPassport::Table );

use List::Util qw( min );
use Mojo::JSON qw( decode_json encode_json );
use POSIX      qw( strftime );

use Koha::Database;

use Koha::Plugin::Org::PatronPassport::State qw( from_stored to_stored );
use Koha::Plugin::Org::PatronPassport::User  qw( may_see );

my $MOST_ROWS = 200;
my $CENTS     = 100;

# The days that the service counts again, and some in which it may be away.
my $COUNTED_DAYS = 40;
my $DAY          = 86_400;

# Koha's own measures: what is due before now (GetOverduesForPatron, "overdues" of Koha::Patron), and the balance of the account,
# credits included (Koha::Account, balance). Each is a query over an index.
my $OWED = <<'SQL';
SELECT c.patron_id, c.home_key,
    (SELECT COUNT(*) FROM borrower_attributes a WHERE a.borrowernumber = c.patron_id AND a.code = ?) AS home_keys,
    (SELECT MAX(a.attribute) FROM borrower_attributes a WHERE a.borrowernumber = c.patron_id AND a.code = ?) AS home_key_now,
    (SELECT COUNT(*) FROM issues i WHERE i.borrowernumber = c.patron_id AND i.date_due < NOW()) AS overdues,
    (SELECT SUM(l.amountoutstanding) FROM accountlines l WHERE l.borrowernumber = c.patron_id) AS balance
SQL

my $STANDING = <<'SQL';
SELECT c.patron_id, c.standing, c.checked_at, c.seen_at,
    (SELECT COUNT(*) FROM borrower_attributes a WHERE a.borrowernumber = c.patron_id AND a.attribute = c.home_key) AS has_home_key
SQL
my $WHOSE = 'JOIN borrowers b ON b.borrowernumber = c.patron_id WHERE';

# A check that takes longer than this is none that the desk waits for: the home library does not answer.
my $CHECKING_S = 60;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Copies - what the service wrote into copies, a row each

=head1 DESCRIPTION

The service may change a field of a copy only while the field still holds what the service wrote. A row says that by keyed
hashes of the service's own, so that neither a lost queue nor a new key makes a field look like an edit of this library.
There is no value of a field in it. Every change names the version that it is based on: of two writers one starts again.

=head1 METHODS

=head2 definition

See L<Koha::Plugin::Org::PatronPassport::Table>. Once the table was dropped, copies that were made until then are never refreshed
again, only reported. C<seen_at> is when a scan of the copy was last reported, C<standing> what the desk is shown of the patron's standing at the home
library (codes, no amounts), C<checked_at> when that was checked, and C<told_at> when it was decided whether to tell the patron that the
copy was made; times are in Unix seconds.

=cut

sub definition {
    my ( $class, $table ) = @_;

    # no key into Koha's table: a copy must be deletable whatever this table says of it
    my $create = <<"SQL";
CREATE TABLE IF NOT EXISTS $table (
    patron_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    home_key VARCHAR(255) NOT NULL,
    written MEDIUMTEXT NOT NULL,
    seen_at BIGINT NULL,
    standing TEXT NULL,
    checked_at BIGINT NULL,
    told_at BIGINT NULL,
    PRIMARY KEY (patron_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
SQL

    return (
        key     => 'patron_id',
        create  => $create,
        changes => [],
    );
}

=head2 page

    my $rows = $copies->page( { after => 811, up_to => 900, limit => 100 } );

Rows by the patron's number, those above C<after> and not above C<up_to>; 200 at most.

=cut

sub page {
    my ( $self, $wanted ) = @_;

    my @values    = ( $wanted->{after} // 0, $wanted->{up_to} // () );
    my $condition = join ' AND ', 'patron_id > ?', defined $wanted->{up_to} ? 'patron_id <= ?' : ();
    my $rows      = $self->rows(
        "SELECT patron_id, version, home_key, written, standing FROM $self->{table}"
            . " WHERE $condition ORDER BY patron_id LIMIT "
            . _limit($wanted),
        @values
    );

    return [
        map {
            +{  patron_id => 0 + $_->{patron_id},
                version   => 0 + $_->{version},
                home_key  => $_->{home_key},
                fields    => decode_json( $_->{written} ),
                standing  => defined $_->{standing} ? from_stored( $_->{standing} ) : undef,
            }
        } @{$rows}
    ];
}

sub _limit {
    my ($wanted) = @_;

    return min( int( $wanted->{limit} || $MOST_ROWS ), $MOST_ROWS );
}

=head2 keep

    my $version = $copies->keep( $patron_id, { version => 3, home_key => $key, fields => \%fields }, $tell );

Stores the row anew if it is still of that version (0: there is none yet) and returns its new version; undef otherwise. With
C<standing>, that is stored as checked now, or where it is undef taken away; without, what is there stays. Where the row says that the
copy was C<made>, and for the first time, C<$tell> is called in the same transaction: however often a call is repeated, and wherever a
process ends, the patron is told once.

=cut

sub keep {
    my ( $self, $patron_id, $row, $tell ) = @_;

    return $self->_keep( $patron_id, $row ) if !$row->{made} || !$tell;

    # makes a table that is missing, which a transaction cannot
    $self->row( $patron_id, '1' );
    return Koha::Database->new->schema->txn_do(
        sub {
            my $version = $self->_keep( $patron_id, $row ) // return;
            $tell->( $patron_id, $row->{made} )
                if $self->update( $patron_id, { told_at => time }, 'told_at IS NULL' );
            return $version;
        }
    );
}

sub _keep {
    my ( $self, $patron_id, $row ) = @_;

    my $version = $row->{version} + 1;
    my %values
        = ( version => $version, home_key => $row->{home_key}, written => encode_json( $row->{fields} ) );
    if ( exists $row->{standing} ) {
        my $standing = $row->{standing};
        @values{qw( standing checked_at )} = $standing ? ( to_stored($standing), time ) : ( undef, undef );
    }

    # what was written just now is as home has it: the next scan of today has nothing to report
    my $is_stored
        = $row->{version} > 0
        ? $self->update( $patron_id, \%values, 'version = ?', $row->{version} )
        : $self->insert( { patron_id => $patron_id, %values, seen_at => time } );

    return $is_stored ? $version : undef;
}

=head2 mark_seen

    if ( $copies->mark_seen( $patron_id, $now, $before ) ) { ... }

Notes that a scan of this copy is reported now, for one of several simultaneous callers; false where a later one than C<$before> was.

=cut

sub mark_seen {
    my ( $self, $patron_id, $now, $before ) = @_;

    return $self->update( $patron_id, { seen_at => $now }, '(seen_at IS NULL OR seen_at <= ?)', $before );
}

=head2 note_checked

    $copies->note_checked( [ 812, 815 ] );

Notes that the standing of these copies was checked now, and is as it was.

=cut

sub note_checked {
    my ( $self, $patron_ids ) = @_;

    $self->update( $_, { checked_at => time }, 'standing IS NOT NULL' ) foreach @{$patron_ids};

    return;
}

=head2 standing_of

    my $standing = $copies->standing_of( { borrowernumber => 812 } );
    my $standing = $copies->standing_of( { cardnumber     => $card } );

What the desk is shown of the copy, or undef: C<patron_id>, C<home_name>, C<is_good>, C<reasons>, C<checked_s> (seconds since it was
checked), and C<is_checking>, while the scan of this visit is on its way. None of a record that has lost its home key: it is the
library's own patron by now; and none of a patron whom the user may not see. One query over indexes, without the card in any message of the database; and where
there is something to show, what Koha asks of user and patron.

=cut

sub standing_of {
    my ( $self, $whom ) = @_;

    my ($column) = grep { exists $whom->{$_} } qw( borrowernumber cardnumber );
    my $dbh = $self->{dbh};
    local $dbh->{PrintError}         = 0;
    local $dbh->{ShowErrorStatement} = 0;
    my ($row) = @{ $self->rows( "$STANDING FROM $self->{table} c $WHOSE b.$column = ? LIMIT 1", $whom->{$column} ) };
    return if !$row || !defined $row->{standing} || !$row->{has_home_key};
    return if !may_see( $row->{patron_id} );

    my ( $now, $seen_at, $checked_at ) = ( time, $row->{seen_at} // 0, $row->{checked_at} // 0 );

    return {
        patron_id => 0 + $row->{patron_id},
        %{ from_stored( $row->{standing} ) },
        checked_s   => $now > $checked_at ? $now - $checked_at : 0,
        is_checking => $seen_at > $checked_at && $now - $seen_at < $CHECKING_S ? \1 : \0,
    };
}

=head2 remove_deleted

    $copies->remove_deleted;

Forgets the rows of patrons that Koha no longer has; it never uses a number twice. As long as their loans of the last days are counted
(L<Koha::Plugin::Org::PatronPassport::Loans>) the home library stays, and nothing else.

=cut

sub remove_deleted {
    my ($self) = @_;

    my $is_gone = 'NOT EXISTS (SELECT 1 FROM borrowers b WHERE b.borrowernumber = patron_id)';
    my $is_open
        = q{EXISTS (SELECT 1 FROM statistics s WHERE s.borrowernumber = patron_id AND s.datetime >= ?)};
    my $since = strftime '%Y-%m-%d', localtime time - $COUNTED_DAYS * $DAY;
    $self->remove($_) foreach $self->ids_where( "$is_gone AND NOT $is_open", $since );
    foreach my $id ( $self->ids_where("$is_gone AND written <> '{}'") ) {
        my ($key) = $self->row( $id, 'home_key' );
        $self->update( $id, { home_key => $key =~ s{:.*}{:}xmsr, written => '{}' }, '1 = 1' );
    }

    return;
}

=head2 owed

    my $page = $copies->owed( { home_key_type => 'PASSPORTED_ID', after => 811, limit => 100 } );

What a home library may know of its patrons here: how many checkouts are overdue, and what is owed, as numbers. No title, no
item, no kind of fee. Looks at the next copies by the patron's number, 200 at most, and returns those C<rows> with something
overdue or owed, how many copies were C<read>, and C<next>, after which number the next page begins; undef at the end.

Only of records that the service has written into and that still have exactly that home key: what an own patron of the library
owes, into whom a copy was merged or who was one, is nobody else's business.

=cut

sub owed {
    my ( $self, $wanted ) = @_;

    my ( $type, $after ) = @{$wanted}{qw( home_key_type after )};
    my $limit  = _limit($wanted);
    my $sql    = "$OWED FROM $self->{table} c WHERE c.patron_id > ? ORDER BY c.patron_id LIMIT $limit";
    my $copies = $self->rows( $sql, $type, $type, $after // 0 );
    my @own    = grep { $_->{home_keys} == 1 && $_->{home_key_now} eq $_->{home_key} } @{$copies};

    return {
        rows => [ grep { $_->{overdues} > 0 || $_->{amount} > 0 } map { _debt_of($_) } @own ],
        read => scalar @own,
        next => @{$copies} == $limit ? 0 + $copies->[-1]{patron_id} : undef,
    };
}

# The amount in hundredths. What the library owes the patron is nothing that the patron owes.
sub _debt_of {
    my ($copy) = @_;

    my $amount = sprintf '%.0f', $CENTS * ( $copy->{balance} // 0 );

    return {
        patron_id => 0 + $copy->{patron_id},
        home_key  => $copy->{home_key},
        overdues  => 0 + $copy->{overdues},
        amount    => $amount > 0 ? 0 + $amount : 0,
    };
}

1;

package Koha::Plugin::Org::PatronPassport::Copies;

use Modern::Perl;

use Mojo::JSON qw( decode_json encode_json );

use Koha::Plugin::Org::PatronPassport::Locks  qw( despite_locks );
use Koha::Plugin::Org::PatronPassport::Tables qw( despite_missing );

my $MOST_ROWS = 200;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Copies - what the service wrote into copies, a row each

=head1 DESCRIPTION

The service may change a field of a copy only while the field still holds what the service wrote. A row says that by keyed
hashes of the service's own, so that neither a lost queue nor a new key makes a field look like an edit of this library.
There is no value of a field in it. Every change names the version that it is based on: of two writers one starts again.

=head1 METHODS

=head2 new

    my $copies = Koha::Plugin::Org::PatronPassport::Copies->new( { dbh => $dbh, table => $name } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { dbh => $args->{dbh}, table => $args->{table} }, $class;
}

=head2 table

Its name in the database.

=cut

sub table {
    my ($self) = @_;

    return $self->{table};
}

=head2 page

    my $rows = $copies->page( { after => 811, up_to => 900, limit => 100 } );

Rows by the patron's number, those above C<after> and not above C<up_to>; 200 at most.

=cut

sub page {
    my ( $self, $wanted ) = @_;

    my $limit = $wanted->{limit} // $MOST_ROWS;
    $limit = $MOST_ROWS if $limit > $MOST_ROWS;
    my @values    = ( $wanted->{after} // 0 );
    my $condition = 'patron_id > ?';
    if ( defined $wanted->{up_to} ) {
        $condition .= ' AND patron_id <= ?';
        push @values, $wanted->{up_to};
    }
    my $sql
        = "SELECT patron_id, version, home_key, written FROM $self->{table}"
        . " WHERE $condition ORDER BY patron_id LIMIT "
        . int $limit;
    my $rows = $self->_with_table(
        sub { return $self->{dbh}->selectall_arrayref( $sql, { Slice => {} }, @values ) } );

    return [ map { _row($_) } @{$rows} ];
}

=head2 keep

    my $version = $copies->keep( $patron_id, { version => 3, home_key => $key, fields => \%fields } );

Stores the row anew if it is still of that version (0: there is none yet) and returns its new version; undef otherwise.

=cut

sub keep {
    my ( $self, $patron_id, $row ) = @_;

    my $dbh     = $self->{dbh};
    my $version = $row->{version} + 1;
    my @values  = ( $row->{home_key}, encode_json( $row->{fields} ) );

    if ( $row->{version} > 0 ) {
        my $changed
            = $self->_write(
            "UPDATE $self->{table} SET version = ?, home_key = ?, written = ? WHERE patron_id = ? AND version = ?",
            $version, @values, $patron_id, $row->{version} );
        return $changed > 0 ? $version : undef;
    }

    # what was written just now is as home has it: the next scan of today has nothing to report
    my $sql
        = "INSERT INTO $self->{table} (version, home_key, written, patron_id, seen_at) VALUES (?, ?, ?, ?, ?)";
    return $version if eval { $self->_write( $sql, $version, @values, $patron_id, time ); 1 };

    my $error = $@;
    die $error if !defined $self->_version_of($patron_id);

    return;
}

=head2 mark_seen

    if ( $copies->mark_seen( $patron_id, $now, $before ) ) { ... }

Notes that a scan of this copy is reported now, for one of several simultaneous callers; false where a later one than C<$before> was.

=cut

sub mark_seen {
    my ( $self, $patron_id, $now, $before ) = @_;

    my $changed
        = $self->_write(
        "UPDATE $self->{table} SET seen_at = ? WHERE patron_id = ? AND (seen_at IS NULL OR seen_at <= ?)",
        $now, $patron_id, $before );

    return $changed > 0 ? 1 : 0;
}

=head2 remove_deleted

    $copies->remove_deleted;

Forgets the rows of patrons that Koha no longer has; it never uses a number twice.

=cut

sub remove_deleted {
    my ($self) = @_;

    my $sql = "SELECT c.patron_id FROM $self->{table} c LEFT JOIN borrowers b"
        . ' ON b.borrowernumber = c.patron_id WHERE b.borrowernumber IS NULL';
    my $gone = $self->_with_table( sub { return $self->{dbh}->selectcol_arrayref($sql) } );
    $self->_write( "DELETE FROM $self->{table} WHERE patron_id = ?", $_ ) foreach @{$gone};

    return;
}

sub _version_of {
    my ( $self, $patron_id ) = @_;

    my ($version)
        = $self->{dbh}
        ->selectrow_array( "SELECT version FROM $self->{table} WHERE patron_id = ?", undef, $patron_id );

    return $version;
}

sub _row {
    my ($stored) = @_;

    return {
        patron_id => 0 + $stored->{patron_id},
        version   => 0 + $stored->{version},
        home_key  => $stored->{home_key},
        fields    => decode_json( $stored->{written} ),
    };
}

sub _write {
    my ( $self, $sql, @values ) = @_;

    my $dbh = $self->{dbh};

    return $self->_with_table(
        sub {
            return despite_locks( $dbh, sub { return $dbh->do( $sql, undef, @values ) } );
        }
    );
}

sub _with_table {
    my ( $self, $work ) = @_;

    return despite_missing( $self->{dbh}, copies => $self->{table}, $work );
}

1;

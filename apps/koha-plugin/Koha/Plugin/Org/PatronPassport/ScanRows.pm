package Koha::Plugin::Org::PatronPassport::ScanRows;

use Modern::Perl;

use Koha::Plugin::Org::PatronPassport::Locks  qw( despite_locks );
use Koha::Plugin::Org::PatronPassport::Tables qw( despite_missing );

=head1 NAME

Koha::Plugin::Org::PatronPassport::ScanRows - statements on the plugin's own table

=head1 DESCRIPTION

Each writes by the primary key only, and survives a deadlock (L<Koha::Plugin::Org::PatronPassport::Locks>).

=head1 METHODS

=head2 new

    my $rows = Koha::Plugin::Org::PatronPassport::ScanRows->new( $dbh, $table );

=cut

sub new {
    my ( $class, $dbh, $table ) = @_;

    return bless { dbh => $dbh, table => $table }, $class;
}

=head2 read_row

    my ( $seq, $state ) = $rows->read_row( 'seq, state', $event_id );

Nothing for an event that is not there.

=cut

sub read_row {
    my ( $self, $columns, $event_id ) = @_;

    my $sql = "SELECT $columns FROM $self->{table} WHERE event_id = ?";
    my @row = $self->_with_table( sub { return $self->{dbh}->selectrow_array( $sql, undef, $event_id ) } );

    return @row;
}

=head2 ids_where

    my @ids = $rows->ids_where( 'stored_at < ?', $time );

A read without locks.

=cut

sub ids_where {
    my ( $self, $condition, @values ) = @_;

    my $sql = "SELECT event_id FROM $self->{table} WHERE $condition";
    my $ids = $self->_with_table( sub { return $self->{dbh}->selectcol_arrayref( $sql, undef, @values ) } );

    return @{$ids};
}

=head2 insert

    if ( $rows->insert( \%row ) ) { ... }

False when a row of this event is there already.

=cut

sub insert {
    my ( $self, $row ) = @_;

    my @columns = sort keys %{$row};
    my $values  = sprintf '(%s) VALUES (%s)', join( q{, }, @columns ), join q{, }, (q{?}) x @columns;
    my $error;

    # again, because the row that was in the way can have been forgotten since
    foreach my $try ( 1 .. 3 ) {
        return 1 if eval { $self->_write( 'INSERT INTO', $values, @{$row}{@columns} ); 1 };
        $error = $@;
        return 0 if $self->read_row( '1', $row->{event_id} );
    }

    die $error;
}

=head2 update

    if ( $rows->update( $event_id, { seq => 4 }, 'seq < ?', 4 ) ) { ... }

True when the row was there and met the condition.

=cut

sub update {
    my ( $self, $event_id, $values, $condition, @more ) = @_;

    my @columns = sort keys %{$values};
    my $set     = join q{, }, map {"$_ = ?"} @columns;
    my $changed = $self->_write(
        'UPDATE',
        "SET $set WHERE event_id = ? AND $condition",
        @{$values}{@columns},
        $event_id, @more
    );

    return $changed > 0 ? 1 : 0;
}

=head2 remove

    $rows->remove( $event_id, 'stored_at < ?', $time );

=cut

sub remove {
    my ( $self, $event_id, $condition, @more ) = @_;

    $self->_write( 'DELETE FROM', "WHERE event_id = ? AND $condition", $event_id, @more );

    return;
}

sub _write {
    my ( $self, $verb, $clauses, @values ) = @_;

    my $dbh  = $self->{dbh};
    my $work = sub { return $dbh->do( "$verb $self->{table} $clauses", undef, @values ) };

    return $self->_with_table( sub { return despite_locks( $dbh, $work ) } );
}

sub _with_table {
    my ( $self, $work ) = @_;

    return despite_missing( $self->{dbh}, scans => $self->{table}, $work );
}

1;

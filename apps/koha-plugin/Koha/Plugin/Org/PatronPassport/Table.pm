package Koha::Plugin::Org::PatronPassport::Table;

use Modern::Perl;

use Koha::Plugin::Org::PatronPassport::Locks qw( despite_locks );

# MariaDB and MySQL: "Table '...' doesn't exist"
my $NO_SUCH_TABLE = 1146;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Table - a table of the plugin's own, and statements on it

=head1 DESCRIPTION

A class that keeps rows is derived from this one. Its C<definition> returns, for the table's name, a hash: C<key>, the primary
key; C<create>, the statement that makes the table; C<changes>, pairs of a column that a later version has added and of what adds it,
and what came with it, to an older table.

Each statement writes by the primary key only, and survives a deadlock (L<Koha::Plugin::Org::PatronPassport::Locks>) and a table that is
missing (L</despite_missing>).

=head1 METHODS

=head2 new

    my $scans = Koha::Plugin::Org::PatronPassport::Scans->new( { dbh => $dbh, table => $name } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { %{$args}, $class->definition( $args->{table} ) }, $class;
}

=head2 table

Its name in the database.

=cut

sub table {
    my ($self) = @_;

    return $self->{table};
}

=head2 ensure

Makes the table, or adds what one from before does not have yet. Safe to repeat, and for all web workers at the same
time: who comes too late finds it done.

=cut

sub ensure {
    my ($self) = @_;

    my $dbh = $self->{dbh};
    despite_locks( $dbh, sub { return $dbh->do( $self->{create} ) } );
    $self->_add( @{$_} ) foreach @{ $self->{changes} };

    return;
}

sub _add {
    my ( $self, $column, $change ) = @_;

    my $dbh = $self->{dbh};
    return if $self->_has_column($column);
    return
        if eval {
        despite_locks( $dbh, sub { return $dbh->do("ALTER TABLE $self->{table} $change") } );
        1;
        };

    # "IF NOT EXISTS" for a column is MariaDB's alone
    my $error = $@;
    die $error if !$self->_has_column($column);

    return;
}

sub _has_column {
    my ( $self, $column ) = @_;

    my $found = $self->{dbh}->column_info( undef, undef, $self->{table}, $column );

    return $found && $found->fetchrow_hashref ? 1 : 0;
}

=head2 drop

Safe to repeat.

=cut

sub drop {
    my ($self) = @_;

    $self->{dbh}->do("DROP TABLE IF EXISTS $self->{table}");

    return;
}

=head2 is_missing

True where the table cannot be read.

=cut

sub is_missing {
    my ($self) = @_;

    my $dbh = $self->{dbh};
    local $dbh->{PrintError} = 0;

    return eval { $dbh->selectrow_array("SELECT 1 FROM $self->{table} LIMIT 1"); 1 } ? 0 : 1;
}

=head2 despite_missing

    my @row = $scans->despite_missing( sub { return $dbh->selectrow_array($sql) } );

Does the work. Where the table is missing, as after a restore of part of the database, it is made again, empty, and the
work is done once more; Koha's log has a line of it. Not inside a transaction of Koha's, which a new table would end.

=cut

sub despite_missing {
    my ( $self, $work ) = @_;

    my $dbh        = $self->{dbh};
    my $wants_list = wantarray;
    my @result;
    {
        local $dbh->{PrintError} = 0;
        return $wants_list ? @result : $result[0]
            if eval { @result = $wants_list ? $work->() : scalar $work->(); 1 };

        my $error = $@;
        die $error if !$dbh->{AutoCommit} || !$self->_is_named_missing;
    }

    warn "Patron Passport: the table $self->{table} was missing; it is made again, empty\n";
    $self->ensure;

    return $work->();
}

sub _is_named_missing {
    my ($self) = @_;

    my $dbh  = $self->{dbh};
    my $text = $dbh->errstr // q{};

    # after a removal, which has dropped the tables, nothing is to come back: this file is gone, too
    return 0 if !-e __FILE__                    || $text !~ m{\b \Q$self->{table}\E \b}xms;
    return ( $dbh->err // 0 ) == $NO_SUCH_TABLE || $text =~ m{no [ ] such [ ] table}xms ? 1 : 0;
}

=head2 row

    my ( $seq, $state ) = $scans->row( $event_id, 'seq, state' );

Nothing where there is no such row.

=cut

sub row {
    my ( $self, $id, $columns ) = @_;

    my $sql = "SELECT $columns FROM $self->{table} WHERE $self->{key} = ?";
    my @row = $self->despite_missing( sub { return $self->{dbh}->selectrow_array( $sql, undef, $id ) } );

    return @row;
}

=head2 rows

    my $rows = $copies->rows( "SELECT patron_id, version FROM $table WHERE patron_id > ?", 811 );

All of them, as hashes by column. A read without locks.

=cut

sub rows {
    my ( $self, $sql, @values ) = @_;

    return $self->despite_missing(
        sub { return $self->{dbh}->selectall_arrayref( $sql, { Slice => {} }, @values ) } );
}

=head2 ids_where

    my @ids = $scans->ids_where( 'stored_at < ?', $time );

=cut

sub ids_where {
    my ( $self, $condition, @values ) = @_;

    return
        map { $_->{id} }
        @{ $self->rows( "SELECT $self->{key} AS id FROM $self->{table} WHERE $condition", @values ) };
}

=head2 insert

    if ( $scans->insert( \%row ) ) { ... }

False when a row with this key is there already.

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
        return 0 if $self->row( $row->{ $self->{key} }, '1' );
    }

    die $error;
}

=head2 update

    if ( $scans->update( $event_id, { seq => 4 }, 'seq < ?', 4 ) ) { ... }

True when the row was there and met the condition.

=cut

sub update {
    my ( $self, $id, $values, $condition, @more ) = @_;

    my @columns = sort keys %{$values};
    my $set     = join q{, }, map {"$_ = ?"} @columns;
    my $clauses = "SET $set WHERE $self->{key} = ? AND $condition";

    return $self->_write( 'UPDATE', $clauses, @{$values}{@columns}, $id, @more ) > 0 ? 1 : 0;
}

=head2 remove

    $copies->remove($patron_id);
    $scans->remove( $event_id, 'stored_at < ?', $time );

=cut

sub remove {
    my ( $self, $id, $condition, @more ) = @_;

    my $clauses = join ' AND ', "WHERE $self->{key} = ?", $condition // ();
    $self->_write( 'DELETE FROM', $clauses, $id, @more );

    return;
}

sub _write {
    my ( $self, $verb, $clauses, @values ) = @_;

    my $dbh  = $self->{dbh};
    my $work = sub { return $dbh->do( "$verb $self->{table} $clauses", undef, @values ) };

    return $self->despite_missing( sub { return despite_locks( $dbh, $work ) } );
}

1;

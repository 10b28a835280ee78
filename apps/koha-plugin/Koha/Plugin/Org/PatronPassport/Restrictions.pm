package Koha::Plugin::Org::PatronPassport::Restrictions;

use Modern::Perl;

use Exporter qw( import );

use Koha::Database;
use Koha::Patron::Debarments ();

our @EXPORT_OK = qw( restriction_types );

# Each kind of restriction has a type of its own, so that lifting one touches no other, and none that staff made.
my %KINDS = (
    home => {
        type    => 'PASSPORT_HOME',
        text    => 'Patron Passport: restricted at the home library',
        comment => 'Patron Passport: restricted at ',
    },
    standing => {
        type    => 'PASSPORT_STANDING',
        text    => 'Patron Passport: not in good standing at the home library',
        comment => 'Patron Passport: not in good standing at ',
    },
    owed => {
        type    => 'PASSPORT_OWED',
        text    => 'Patron Passport: debts at a partner library',
        comment => 'Patron Passport: debts at ',
    },
);

my $MOST_ROWS      = 200;
my $MOST_OF_PATRON = 100;

# Longer ones are cut: of a comment without end nothing is carried elsewhere.
my $LONGEST_COMMENT = 200;

# What the service adds to the comment, and nobody else by chance: codes, and what the home library has noted.
my $CODES = qr{ (?: [ ] [(] [A-Z_]+ (?: ,[ ] [A-Z_]+ )* [)] )? (?: [ ] ["] [^"]+ ["] )? }xmsa;

=head1 NAME

Koha::Plugin::Org::PatronPassport::Restrictions - restrictions that the service sets, and lifts again

=head1 DESCRIPTION

A restriction is of a kind: C<home>, on a copy whose patron is restricted at the home library, C<standing>, on a copy whose patron is not
in good standing there, or C<owed>, on a home record whose patron has debts at a lending library. It names the other library in its
comment, and where there are codes of reasons, those in brackets; nothing else: no title, no amount, no person. Only one of the kind
C<home> can have what the home library has noted, in quotation marks, where that library shares it. A patron can have one of a kind for
each library.

=head1 FUNCTIONS

=head2 restriction_types

    my @types = restriction_types();

The types of these restrictions, as rows of C<Koha::Patron::Restriction::Type>. As types of the system they cannot be deleted in Koha's
administration, which would make the restrictions manual ones (C<delete> of that class).

=cut

sub restriction_types {
    return
        map { +{ code => $_->{type}, display_text => $_->{text}, is_system => 1, is_default => 0 } }
        @KINDS{ sort keys %KINDS };
}

=head1 METHODS

=head2 new

    my $restrictions = Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => $dbh } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { dbh => $args->{dbh} }, $class;
}

=head2 set

    my $result = $restrictions->set( { kind => 'owed', library => 'riverside', patron_id => 812 },
        { until => '2026-12-31', codes => ['OVERDUES'], comment => undef } );

Restricts the patron until the day before this date, or without an end. Safe to repeat: what is as wanted is not written again.
Returns C<set>, C<not_found> or C<anonymized>.

=cut

sub set {
    my ( $self, $which, $how ) = @_;

    return $self->_locked( $which, sub { return $self->_set( $which, $how ) } );
}

=head2 lift

    my $result = $restrictions->lift( { kind => 'owed', library => 'riverside', patron_id => 812 } );

Lifts this restriction, if it is there, and no other. Returns C<lifted>, C<not_found> or C<anonymized>.

=cut

sub lift {
    my ( $self, $which ) = @_;

    my $lift = sub {
        Koha::Patron::Debarments::DelDebarment( $_->[0] ) foreach @{ $self->_own($which) };
        return 'lifted';
    };

    return $self->_locked( $which, $lift );
}

=head2 page

    my $rows = $restrictions->page( 'owed', { after => 4711, limit => 100 } );

The restrictions of this kind by Koha's number of each, those above C<after>; 200 at most. The library is undef where somebody
has changed the comment.

=cut

sub page {
    my ( $self, $kind, $wanted ) = @_;

    my $limit = int( $wanted->{limit} // $MOST_ROWS );
    $limit = $MOST_ROWS if $limit > $MOST_ROWS;

    return $self->_restrictions(
        $kind,
        "borrower_debarment_id > ? ORDER BY borrower_debarment_id LIMIT $limit",
        $wanted->{after} // 0
    );
}

=head2 of_patron

    my $rows = $restrictions->of_patron( 812, { comments => 1 } );

All restrictions of a patron that are in force, as Koha itself counts them (C<UpdateBorrowerDebarmentFlags> of
C<Koha::Patron::Debarments>): type code and end of each, 100 at most, and the comments where they are wanted. What this plugin has written into a comment names
libraries where the patron borrows, and is answered nobody.

=cut

sub of_patron {
    my ( $self, $patron_id, $wanted ) = @_;

    my $rows = $self->{dbh}->selectall_arrayref(
        'SELECT type, expiration, comment FROM borrower_debarments'
            . ' WHERE borrowernumber = ? AND (expiration IS NULL OR expiration > CURRENT_DATE)'
            . " ORDER BY borrower_debarment_id LIMIT $MOST_OF_PATRON",
        undef, $patron_id
    );
    my %own = map { $_->{type} => 1 } values %KINDS;

    return [
        map {
            my ( $type, $until, $comment ) = @{$_};
            my $is_told = $wanted->{comments} && !$own{$type} && length( $comment // q{} );
            {   type  => $type,
                until => $until,
                ( $is_told ? ( comment => substr $comment, 0, $LONGEST_COMMENT ) : () )
            };
        } @{$rows}
    ];
}

=head2 libraries_of

    my $libraries = $restrictions->libraries_of( 'home', 811, 900 );

For which libraries patrons are restricted, by the patron's number, those from the first to the last of these: C<< { 812 => ['midland'] } >>.
One of which somebody has changed the comment is the library's own by now.

=cut

sub libraries_of {
    my ( $self, $kind, $first, $last ) = @_;

    my $rows = $self->_restrictions( $kind, 'borrowernumber BETWEEN ? AND ? ORDER BY borrower_debarment_id',
        $first, $last );
    my %libraries;
    push @{ $libraries{ $_->{patron_id} } }, $_->{library} foreach grep { defined $_->{library} } @{$rows};

    return \%libraries;
}

sub _restrictions {
    my ( $self, $kind, $condition, @values ) = @_;

    my ( $type, $comment ) = @{ $KINDS{$kind} }{qw( type comment )};
    my $sql = 'SELECT borrower_debarment_id, borrowernumber, comment FROM borrower_debarments'
        . " WHERE type = ? AND $condition";
    my $rows = $self->{dbh}->selectall_arrayref( $sql, undef, $type, @values );

    return [
        map {
            my ( $id, $patron_id, $text ) = @{$_};
            my ($library) = ( $text // q{} ) =~ m{\A \Q$comment\E ([\w-]+) $CODES \z}xmsa;
            { id => 0 + $id, patron_id => 0 + $patron_id, library => $library };
        } @{$rows}
    ];
}

# One at a time for a patron: Koha has no key that would keep a second restriction out.
sub _locked {
    my ( $self, $which, $work ) = @_;

    return Koha::Database->new->schema->txn_do(
        sub {
            my $dbh = $self->{dbh};
            $dbh->do( 'UPDATE borrowers SET borrowernumber = borrowernumber WHERE borrowernumber = ?',
                undef, $which->{patron_id} );
            my ($anonymized)
                = $dbh->selectrow_array( 'SELECT anonymized FROM borrowers WHERE borrowernumber = ?',
                undef, $which->{patron_id} );
            return 'not_found'  if !defined $anonymized;
            return 'anonymized' if $anonymized;

            return $work->();
        }
    );
}

sub _set {
    my ( $self, $which, $how ) = @_;

    my ( $row, @doubles ) = @{ $self->_own($which) };
    my $until   = $how->{until};
    my $comment = join q{ }, _comment($which),
        ( @{ $how->{codes} // [] }      ? '(' . join( q{, }, @{ $how->{codes} } ) . ')' : () ),
        ( defined( $how->{comment} ) ? qq{"$how->{comment}"}                         : () );
    my %values = ( type => $KINDS{ $which->{kind} }{type}, comment => $comment, expiration => $until );
    Koha::Patron::Debarments::DelDebarment( $_->[0] ) foreach @doubles;
    if ( !$row ) {
        Koha::Patron::Debarments::AddDebarment( { borrowernumber => $which->{patron_id}, %values } );
    }
    elsif ( ( $row->[1] // q{} ) ne ( $until // q{} ) || $row->[2] ne $comment ) {
        Koha::Patron::Debarments::ModDebarment( { borrower_debarment_id => $row->[0], %values } );
    }

    return 'set';
}

sub _own {
    my ( $self, $which ) = @_;

    my $comment = _comment($which);
    my $rows    = $self->{dbh}->selectall_arrayref(
        'SELECT borrower_debarment_id, expiration, comment FROM borrower_debarments'
            . ' WHERE borrowernumber = ? AND type = ? ORDER BY borrower_debarment_id',
        undef, $which->{patron_id}, $KINDS{ $which->{kind} }{type}
    );

    return [ grep { ( $_->[2] // q{} ) =~ m{\A \Q$comment\E $CODES \z}xmsa } @{$rows} ];
}

sub _comment {
    my ($which) = @_;

    return $KINDS{ $which->{kind} }{comment} . $which->{library};
}

1;

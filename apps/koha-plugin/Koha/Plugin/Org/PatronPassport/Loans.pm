package Koha::Plugin::Org::PatronPassport::Loans;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use POSIX       qw( strftime );
use Time::HiRes qw( time );

# Koha writes a row into "statistics" at every checkout, renewal and return, with the branch where it happened and the patron
# (C4/Circulation.pm: AddIssue, AddRenewal, AddReturn; Koha/Statistic.pm, C4/Stats.pm). Neither the anonymisation of old checkouts, nor a patron whose
# history is never kept, nor the deletion of the patron touches them.
my %KINDS = (
    issue           => 'checkouts',
    onsite_checkout => 'checkouts',
    renew           => 'renewals',
    return          => 'returns',
);

# Whose a visitor is says the passport, where there is exactly one. Of a deleted copy the plugin's own row says it.
my $OF_A_DAY = <<'SQL';
SELECT loans.home, loans.branch, loans.type, COUNT(*) AS loans FROM (
    SELECT s.branch, s.type, COALESCE(
        (SELECT CASE WHEN COUNT(*) = 1 THEN MAX(a.attribute) END FROM borrower_attributes a
            WHERE a.borrowernumber = s.borrowernumber AND a.code = ?),
        (SELECT c.home_key FROM %s c WHERE c.patron_id = s.borrowernumber
            AND NOT EXISTS (SELECT 1 FROM borrowers b WHERE b.borrowernumber = s.borrowernumber))
    ) AS home
    FROM statistics s
    WHERE s.datetime >= ? AND s.datetime < ? AND s.type IN ('issue', 'onsite_checkout', 'renew', 'return')
) loans WHERE loans.home IS NOT NULL GROUP BY loans.home, loans.branch, loans.type
SQL

my $FULL_PAGE       = 500;
my $LONGEST_SECONDS = 1;

our @EXPORT_OK = qw( days_after );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Loans - how often copies borrowed here

=head1 FUNCTIONS

=head2 days_after

    my $last = days_after( '2026-11-25', 30 );

The day so many days later; another one than was given for 0 where there is no such day.

=cut

sub days_after {
    my ( $day, $days ) = @_;

    my ( $year, $month, $date ) = split m{-}xms, $day;

    return strftime '%Y-%m-%d', 0, 0, 12, $date + $days, $month - 1, $year - 1900;
}

=head1 METHODS

=head2 new

    my $loans = Koha::Plugin::Org::PatronPassport::Loans->new( { dbh => $dbh, copies => $copies } );

=cut

sub new {
    my ( $class, $args ) = @_;

    return bless { dbh => $args->{dbh}, copies => $args->{copies} }, $class;
}

=head2 page

    my $page = $loans->page( { passport_type => 'PASSPORTED', from => '2026-11-01', to => '2026-11-30' } );

Checkouts, renewals and returns of copies as numbers, by day, home library and branch; undef where this Koha keeps no statistics. Days are those of
this Koha's clock, whole ones only: today is not among them. A page ends after 500 rows or a second, with a whole day: C<until> is the last day that was
counted, undef where none was, and C<next> the one to go on with, undef at the end.

=cut

sub page {
    my ( $self, $wanted ) = @_;

    # From 25.05 on, a library may choose to have none (C4/Stats.pm, UpdateStats)
    return if C4::Context->preference('DisableStatistics');

    my ($today) = $self->{dbh}->selectrow_array('SELECT CURRENT_DATE');
    my $ends = time + $LONGEST_SECONDS;
    my ( $day, $until ) = $wanted->{from};
    my @rows;
    while ( $day le $wanted->{to} && $day lt $today && @rows < $FULL_PAGE && time < $ends ) {
        my $next = days_after( $day, 1 );
        push @rows, $self->_of( $wanted->{passport_type}, $day, $next );
        ( $until, $day ) = ( $day, $next );
    }

    return {
        rows  => \@rows,
        until => $until,
        next  => $day le $wanted->{to} && $day lt $today ? $day : undef,
    };
}

sub _of {
    my ( $self, $type, $day, $next ) = @_;

    my $sql    = sprintf $OF_A_DAY, $self->{copies}->table;
    my $counts = $self->{copies}->rows( $sql, $type, $day, $next );
    my %rows;
    foreach my $count ( @{$counts} ) {
        my ($home) = $count->{home} =~ m{\A ([\w-]{1,40}) (?: : | \z )}xmsa or next;
        my $branch = $count->{branch} // q{};
        my $row    = $rows{"$home $branch"}
            //= { day => $day, home => $home, branch => $branch, checkouts => 0, renewals => 0,
            returns => 0 };
        $row->{ $KINDS{ $count->{type} } } += $count->{loans};
    }

    return @rows{ sort keys %rows };
}

1;

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use POSIX qw( strftime );
use Test::Mojo;
use Test::More;

use Passport::TestApi;
use Passport::TestKoha;

my $URL = '/api/v1/contrib/passport/loans?passport_type=PASSPORTED';

# A Koha with a copy of midland's and one of lakeside's, and an own patron.
sub api {
    my $koha = Passport::TestKoha->new;
    $koha->add_patron( "2123400000001$_", "user$_" ) foreach 1 .. 3;
    $koha->add_attribute( 1, 'PASSPORTED', 'midland' );
    $koha->add_attribute( 2, 'PASSPORTED', 'lakeside' );

    return ( Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) ), $koha );
}

sub note_loans {
    my ( $koha, @loans ) = @_;

    $koha->{dbh}->do( 'INSERT INTO statistics (datetime, branch, type, borrowernumber) VALUES (?, ?, ?, ?)',
        undef, @{$_} )
        foreach @loans;

    return;
}

sub row {
    my ( $day, $home, $branch, @counts ) = @_;

    my %row = ( day => $day, home => $home, branch => $branch );
    @row{qw( checkouts renewals returns )} = @counts;

    return \%row;
}

subtest 'loans of copies are counted by day, home library and branch; those of own patrons are not' => sub {
    my ( $t, $koha ) = api();
    note_loans(
        $koha,
        ( [ '2026-10-31 23:59:59', 'MAIN', 'issue', 1 ] ) x 2,
        [ '2026-11-01 00:00:00', 'MAIN',  'issue',           1 ],
        [ '2026-11-01 10:00:00', 'MAIN',  'onsite_checkout', 1 ],
        [ '2026-11-01 11:00:00', 'MAIN',  'renew',           1 ],
        [ '2026-11-01 12:00:00', 'SOUTH', 'return',          1 ],
        [ '2026-11-01 13:00:00', 'MAIN',  'issue',           2 ],
        [ '2026-11-01 13:00:00', 'MAIN',  'issue',           3 ],
        [ '2026-11-01 13:00:00', 'MAIN',  'return',          undef ],
        [ '2026-11-01 13:00:00', 'MAIN',  'payment',         1 ],
        [ '2026-11-02 00:00:00', 'MAIN',  'return',          2 ],
        [ '2026-11-03 00:00:00', 'MAIN',  'return',          2 ],
    );
    $t->get_ok("$URL&from=2026-11-01&to=2026-11-02")->status_is(200)->json_is(
        {   rows => [
                row( '2026-11-01', 'lakeside', 'MAIN',  1, 0, 0 ),
                row( '2026-11-01', 'midland',  'MAIN',  2, 1, 0 ),
                row( '2026-11-01', 'midland',  'SOUTH', 0, 0, 1 ),
                row( '2026-11-02', 'lakeside', 'MAIN',  0, 0, 1 ),
            ],
            until => '2026-11-02',
            next  => undef,
        }
    );
};

subtest 'what has two passports, or one that is no id of a library, is nobody\'s' => sub {
    my ( $t, $koha ) = api();
    $koha->add_attribute( 1, 'PASSPORTED', 'lakeside' );
    $koha->{dbh}->do(q{UPDATE borrower_attributes SET attribute = 'Server B' WHERE borrowernumber = 2});
    note_loans( $koha, map { [ '2026-11-01 10:00:00', 'MAIN', 'issue', $_ ] } 1, 2 );
    $t->get_ok("$URL&from=2026-11-01&to=2026-11-01")->json_is( '/rows' => [] );
};

subtest 'the loans of a deleted copy stay its home library\'s, and its number at home is forgotten' => sub {
    my ( $t, $koha ) = api();
    my $day = strftime '%Y-%m-%d', localtime time - 3 * 86_400;
    note_loans( $koha, [ "$day 10:00:00", 'MAIN', 'issue', 1 ] );
    my $field = { hash => 'Ab3_-9:' . 'h' x 43, at => 1, event => 'scan_1' };
    $koha->{plugin}
        ->copies->keep( $_, { version => 0, home_key => 'midland:8', fields => { email => $field } } )
        foreach 1, 7;
    $koha->{dbh}->do("DELETE FROM $_ WHERE borrowernumber = 1") foreach qw( borrower_attributes borrowers );
    foreach my $when ( 'before', 'after' ) {
        $t->get_ok("$URL&from=$day&to=$day")
            ->json_is( '/rows/0' => row( $day, 'midland', 'MAIN', 1, 0, 0 ), $when );
        $koha->{plugin}->cronjob_nightly foreach 1 .. 2;
    }
    my $left = $koha->{plugin}->copies->page( {} );
    is_deeply( [ map { @{$_}{qw( patron_id home_key fields )} } @{$left} ], [ 1, 'midland:', {} ] );
    $koha->{dbh}->do('DELETE FROM statistics');
    $koha->{plugin}->cronjob_nightly;
    is_deeply( $koha->{plugin}->copies->page( {} ), [], 'and with the last loan the row goes' );
};

subtest 'a released copy\'s loans are the library\'s own' => sub {
    my ( $t, $koha ) = api();
    note_loans( $koha, [ '2026-11-01 10:00:00', 'MAIN', 'issue', 1 ] );
    $koha->{plugin}->copies->keep( 1, { version => 0, home_key => 'midland:8', fields => {} } );
    $koha->{dbh}->do('DELETE FROM borrower_attributes WHERE borrowernumber = 1');
    $t->get_ok("$URL&from=2026-11-01&to=2026-11-01")->json_is( '/rows' => [] );
};

subtest 'a page ends with a whole day, and says where to go on' => sub {
    my ( $t, $koha ) = api();
    note_loans( $koha,
        map { [ '2026-11-01 10:00:00', "B$_", 'issue', 1 ], [ '2026-11-02 10:00:00', 'MAIN', 'issue', 1 ] }
            1 .. 501 );
    $t->get_ok("$URL&from=2026-11-01&to=2026-11-03")
        ->json_is( '/until' => '2026-11-01' )
        ->json_is( '/next'  => '2026-11-02' )
        ->json_has('/rows/500');
    $t->get_ok("$URL&from=2026-11-02&to=2026-11-03")
        ->json_is( '/rows' => [ row( '2026-11-02', 'midland', 'MAIN', 501, 0, 0 ) ] )
        ->json_is( '/next' => undef );
};

subtest 'today is not over, and is not counted' => sub {
    my ( $t, $koha ) = api();
    my ($today) = $koha->{dbh}->selectrow_array('SELECT CURRENT_DATE');
    note_loans( $koha, [ "$today 00:00:00", 'MAIN', 'issue', 1 ] );
    $t->get_ok("$URL&from=$today&to=$today")->json_is( { rows => [], until => undef, next => undef } );
};

subtest 'a Koha that keeps no statistics says so' => sub {
    my ($t) = api();
    local $C4::Context::PREFERENCE{DisableStatistics} = 1;
    $t->get_ok("$URL&from=2026-11-01&to=2026-11-01")
        ->status_is(409)
        ->json_is( '/error_code' => 'no_statistics' );
};

subtest 'what are no days, or too many, is refused' => sub {
    my ($t) = api();
    foreach my $days ( qw( from=2026-11-01 from=x&to=2026-11-01 from=2026-02-31&to=2026-03-01 ),
        qw( from=2026-11-02&to=2026-11-01 from=2026-10-01&to=2026-11-01 from=2026-13-01&to=2026-13-02 ) )
    {
        $t->get_ok("$URL&$days")->status_is( 400, $days );
    }
    $t->get_ok("$URL&from=2026-10-02&to=2026-11-01")->status_is(200);
};

done_testing;

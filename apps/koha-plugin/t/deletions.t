use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Test::Mojo;
use Test::More;

use C4::Context;
use Koha::Patron ();
use Passport::TestApi;
use Passport::TestDatabase;
use Passport::TestDeletions qw( add_columns add_later_tables );
use Passport::TestKoha;

my $BASE = '/api/v1/contrib/passport/deletions';
my %COPY = ( patron_id => 1, home_key => 'midland:8', home_key_type => 'PASSPORTED_ID' );

# A Koha with one copy, number 1.
sub api {
    my $koha = Passport::TestKoha->new;
    add_columns( $koha->{dbh} );
    $koha->add_patron( '21234000000017', 'ada' );
    $koha->add_attribute( 1, 'PASSPORTED_ID', 'midland:8' );
    $koha->{plugin}->copies->keep( 1, { version => 0, home_key => 'midland:8', fields => {} } );

    return ( Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) ), $koha->{dbh} );
}

sub left {
    my ($dbh) = @_;

    return map { scalar $dbh->selectrow_array("SELECT COUNT(*) FROM $_") } qw( borrowers deletedborrowers );
}

subtest 'a copy that nothing keeps moves to the deleted patrons, with what it had' => sub {
    my ( $t, $dbh ) = api();
    $t->post_ok( $BASE => json => \%COPY )->status_is(204);
    is_deeply( [ left($dbh) ], [ 0, 1 ], 'moved' );
    $t->post_ok( $BASE => json => \%COPY )->status_is(404)->json_is( '/error_code' => 'not_found' );
};

my %KEEPS = (
    checkouts   => 'INSERT INTO issues (borrowernumber, issuedate) VALUES (1, "2026-11-25 10:00:00")',
    debt        => 'INSERT INTO accountlines (borrowernumber, amountoutstanding) VALUES (1, 0.05)',
    credit      => 'INSERT INTO accountlines (borrowernumber, amountoutstanding) VALUES (1, -3)',
    guarantees  => 'INSERT INTO borrower_relationships (guarantor_id, guarantee_id) VALUES (1, 2)',
    holds       => 'INSERT INTO reserves (borrowernumber, reservedate) VALUES (1, "2026-11-25")',
    lists       => 'INSERT INTO virtualshelves (owner) VALUES (1)',
    restriction => 'INSERT INTO borrower_debarments (borrowernumber, type) VALUES (1, "MANUAL")',
    protected   => 'UPDATE borrowers SET protected = 1 WHERE borrowernumber = 1',
    staff       => 'UPDATE borrowers SET flags = 4 WHERE borrowernumber = 1',
);

foreach my $block ( sort keys %KEEPS ) {
    subtest "$block keep a copy, also when they came after the plan" => sub {
        my ( $t, $dbh ) = api();
        $t->get_ok("$BASE?patron_ids=1")->status_is(200)->json_is( '/patrons/0/blocks' => [] );
        $dbh->do( $KEEPS{$block} =~ tr/"/'/r );
        $t->post_ok( $BASE => json => \%COPY )
            ->status_is(409)
            ->json_is( '/error_code' => 'blocked' )
            ->json_is( '/blocks'     => [$block] );
        is_deeply( [ left($dbh) ], [ 1, 0 ], 'still there' );
        $t->get_ok("$BASE?patron_ids=1")->json_is( '/patrons/0/blocks' => [$block] );
    };
}

my %KEEPS_LATER = (
    recalls  => [ '(patron_id, completed) VALUES (1, %s)', 0, 1 ],
    bookings =>
        [ '(patron_id, end_date) VALUES (1, %s)', q{'2098-01-01 23:59:00'}, q{'2020-01-01 23:59:00'} ],
    article_requests => [ '(borrowernumber, status) VALUES (1, %s)',    q{'REQUESTED'}, q{'COMPLETED'} ],
    illrequests      => [ '(borrowernumber, completed) VALUES (1, %s)', 'NULL',         q{'2020-01-01'} ],
);

foreach my $table ( sort keys %KEEPS_LATER ) {
    my ( $values, $open, $ended ) = @{ $KEEPS_LATER{$table} };
    my $block = $table =~ s{\Aillrequests\z}{ill_requests}r;
    subtest "$block keep a copy while they are open, where Koha has them" => sub {
        my ( $t, $dbh ) = api();
        add_later_tables($dbh);
        $dbh->do( "INSERT INTO $table " . sprintf $values, $ended );
        $t->get_ok("$BASE?patron_ids=1")->status_is(200)->json_is( '/patrons/0/blocks' => [] );
        $dbh->do( "INSERT INTO $table " . sprintf $values, $open );
        $t->post_ok( $BASE => json => \%COPY )->status_is(409)->json_is( '/blocks' => [$block] );
        is_deeply( [ left($dbh) ], [ 1, 0 ], 'still there' );
    };
}

subtest 'T-28 a restriction that stands for one at home keeps nobody' => sub {
    my ( $t, $dbh ) = api();
    $dbh->do(q{INSERT INTO borrower_debarments (borrowernumber, type) VALUES (1, 'PASSPORT_HOME')});
    $t->get_ok("$BASE?patron_ids=1")->json_is( '/patrons/0/blocks' => [] );
    $t->post_ok( $BASE => json => \%COPY )->status_is(204);
    is_deeply( [ left($dbh) ], [ 0, 1 ], 'moved' );
};

subtest 'a restriction for debts elsewhere keeps a patron' => sub {
    my ( $t, $dbh ) = api();
    $dbh->do(q{INSERT INTO borrower_debarments (borrowernumber, type) VALUES (1, 'PASSPORT_OWED')});
    $t->post_ok( $BASE => json => \%COPY )->status_is(409)->json_is( '/blocks' => ['restriction'] );
    is_deeply( [ left($dbh) ], [ 1, 0 ], 'still there' );
};

subtest 'the anonymous patron stays' => sub {
    my ( $t, $dbh ) = api();
    local $C4::Context::PREFERENCE{AnonymousPatron} = 1;
    $t->post_ok( $BASE => json => \%COPY )->status_is(409)->json_is( '/blocks' => ['anonymous_patron'] );
};

subtest 'only the copy with this home key is deleted: no own patron, and none that was merged' => sub {
    my ( $t, $dbh ) = api();
    $t->post_ok( $BASE => json => { %COPY, home_key => 'midland:9' } )
        ->status_is(409)
        ->json_is( '/error_code' => 'not_this_copy' );
    $dbh->do(q{INSERT INTO borrower_attributes VALUES (1, 'PASSPORTED_ID', 'midland:9')});
    $t->post_ok( $BASE => json => \%COPY )->status_is( 409, 'two home keys' );
    $dbh->do('DELETE FROM borrower_attributes');
    $t->post_ok( $BASE => json => \%COPY )->status_is( 409, 'none' );
    is_deeply( [ left($dbh) ], [ 1, 0 ], 'still there' );
};

subtest 'an own patron whom Koha merged a copy into stays: the service wrote nothing into this record' =>
    sub {
    foreach my $sql (
        'DELETE FROM koha_plugin_org_patronpassport_copies',
        'UPDATE koha_plugin_org_patronpassport_copies SET patron_id = 2',
        q{UPDATE koha_plugin_org_patronpassport_copies SET home_key = 'midland:9'},
        )
    {
        my ( $t, $dbh ) = api();
        $dbh->do($sql);
        $t->post_ok( $BASE => json => \%COPY )->status_is(409)->json_is( '/error_code' => 'not_this_copy' );
        is_deeply( [ left($dbh) ], [ 1, 0 ], 'still there' );
    }
    };

subtest 'what fails half way leaves the copy as it was' => sub {
    my ( $t, $dbh ) = api();
    local $Koha::Patron::FAILS = 1;
    local $SIG{__WARN__} = sub { };
    $t->post_ok( $BASE => json => \%COPY )
        ->status_is(500)
        ->json_is( '/error_code' => 'internal_server_error' );
    is_deeply( [ left($dbh) ], [ 1, 0 ], 'still there, once' );
};

subtest 'the last use is the latest of all that Koha knows' => sub {
    my ( $t, $dbh ) = api();
    my $is = sub {
        my ( $last, $known, $says ) = @_;
        $t->get_ok("$BASE?patron_ids=1")
            ->json_is( '/patrons/0/last_used' => $last,  $says )
            ->json_is( '/patrons/0/knows_use' => $known, "$says, known" );
    };
    my ( $yes, $no ) = ( Mojo::JSON->true, Mojo::JSON->false );
    $dbh->do(q{UPDATE borrowers SET dateenrolled = '2024-01-02'});
    $is->( '2024-01-02', $no, 'enrolled' );
    $dbh->do(
        q{INSERT INTO old_issues (borrowernumber, issuedate, returndate) VALUES (1, '2024-05-01', '2024-06-01')}
    );
    $is->( '2024-06-01', $no, 'returned' );
    $dbh->do('UPDATE borrowers SET privacy = 0');
    $is->( '2024-06-01', $yes, 'history kept for ever' );
    $dbh->do(q{UPDATE borrowers SET privacy = 1, lastseen = '2025-02-03 04:05:06'});
    $is->( '2025-02-03', $no, 'seen, and not tracked any more' );
    local $C4::Context::PREFERENCE{TrackLastPatronActivityTriggers} = 'login,check_out';
    $is->( '2025-02-03', $yes, 'seen, tracked' );
    $dbh->do('UPDATE borrowers SET lastseen = NULL');
    $is->( '2024-06-01', $no, 'tracked, and never seen since' );
};

subtest 'what does not fit is refused' => sub {
    my ( $t, $dbh ) = api();
    $t->get_ok($BASE)->status_is(400);
    $t->get_ok( "$BASE?patron_ids=" . join q{,}, 1 .. 101 )->status_is(400);
    $t->get_ok("$BASE?patron_ids=1,77")->status_is(200)->json_hasnt('/patrons/1');
    $t->post_ok( $BASE => json => { %COPY, force => 1 } )->status_is(400);
    $t->post_ok( $BASE => { 'Content-Type' => 'text/plain' } => '{}' )->status_is(415);
};

# SQLite locks no row
subtest 'a checkout that comes at the same moment waits, and finds nobody' => sub {
    my ( $t, $dbh ) = api();
    my $desk = Passport::TestDatabase::handle( $dbh->selectrow_array('SELECT DATABASE()') );
    $desk->{PrintError} = 0;
    $desk->do('SET innodb_lock_wait_timeout = 1');
    my $said;
    local $Koha::Patron::BEFORE_DELETE = sub {
        $said = eval { $desk->do('INSERT INTO issues (borrowernumber) VALUES (1)'); 'checked out' } // "$@";
    };
    $t->post_ok( $BASE => json => \%COPY )->status_is(204);
    like( $said, qr/Lock wait timeout/, 'the desk had to wait' );
    ok( !eval { $desk->do('INSERT INTO issues (borrowernumber) VALUES (1)') }, 'and then there is nobody' );
    }
    if Passport::TestDatabase::is_mariadb();

done_testing();

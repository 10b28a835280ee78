use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Test::Mojo;
use Test::More;

use Passport::TestApi;
use Passport::TestDeletions qw( add_columns );
use Passport::TestKoha;

my $URL = '/api/v1/contrib/passport/owed?home_key_type=PASSPORTED_ID';

# A Koha with so many copies, from number 1 on.
sub api {
    my ($copies) = @_;

    my $koha = Passport::TestKoha->new;
    add_columns( $koha->{dbh} );
    foreach my $number ( 1 .. $copies ) {
        $koha->add_patron( "2123400000001$number", "user$number" );
        $koha->add_attribute( $number, 'PASSPORTED_ID', "midland:8$number" );
        $koha->{plugin}
            ->copies->keep( $number, { version => 0, home_key => "midland:8$number", fields => {} } );
    }

    return ( Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) ), $koha->{dbh} );
}

sub charge {
    my ( $dbh, $number, @amounts ) = @_;

    $dbh->do( 'INSERT INTO accountlines (borrowernumber, amountoutstanding) VALUES (?, ?)',
        undef, $number, $_ )
        foreach @amounts;

    return;
}

sub check_out {
    my ( $dbh, $number, @due ) = @_;

    $dbh->do( 'INSERT INTO issues (borrowernumber, date_due) VALUES (?, ?)', undef, $number, $_ )
        foreach @due;

    return;
}

subtest 'overdue checkouts are counted and amounts summed, in hundredths, for copies that owe something' =>
    sub {
    my ( $t, $dbh ) = api(3);
    check_out( $dbh, 1, '2020-01-31 23:59:00', '2020-02-01 23:59:00', '2999-01-01 23:59:00' );
    charge( $dbh, 1, '12.336000', '0.100000' );
    check_out( $dbh, 2, '2999-01-01 23:59:00' );
    charge( $dbh, 3, '0.050000' );
    $t->get_ok($URL)->status_is(200)->json_is(
        {   rows => [
                { patron_id => 1, home_key => 'midland:81', overdues => 2, amount => 1244 },
                { patron_id => 3, home_key => 'midland:83', overdues => 0, amount => 5 },
            ],
            read => 3,
            next => undef,
        }
    );
    };

subtest 'a credit counts against the debts, and alone is nothing owed' => sub {
    my ( $t, $dbh ) = api(2);
    charge( $dbh, 1, 10, -4 );
    charge( $dbh, 2, 1,  -3 );
    $t->get_ok($URL)->json_is( '/rows/0/amount' => 600 )->json_hasnt('/rows/1');
};

subtest 'what an own patron owes is not reported: released, merged into, or never written by the service' =>
    sub {
    foreach my $sql (
        'DELETE FROM borrower_attributes',
        q{INSERT INTO borrower_attributes VALUES (1, 'PASSPORTED_ID', 'midland:9')},
        q{INSERT INTO borrower_attributes VALUES (1, 'PASSPORTED_ID', 'lakeside:1')},
        q{UPDATE borrower_attributes SET attribute = 'midland:9'},
        q{UPDATE borrower_attributes SET attribute = 'MIDLAND:81'},
        q{UPDATE borrower_attributes SET code = 'OTHER'},
        'DELETE FROM koha_plugin_org_patronpassport_copies',
        )
    {
        my ( $t, $dbh ) = api(1);
        charge( $dbh, 1, 10 );
        $t->get_ok($URL)->json_is( '/rows/0/amount' => 1000, 'owed by a copy' );
        $dbh->do($sql);
        $t->get_ok($URL)->status_is(200)->json_is( '/rows' => [], $sql );
    }
    };

subtest 'pages go on after the last copy that was looked at, also where it owes nothing' => sub {
    my ( $t, $dbh ) = api(3);
    charge( $dbh, $_, 10 ) foreach 1, 3;
    $t->get_ok("$URL&limit=2")
        ->json_is( '/rows/0/patron_id' => 1 )
        ->json_hasnt('/rows/1')
        ->json_is( '/read' => 2 )
        ->json_is( '/next' => 2 );
    $t->get_ok("$URL&limit=2&after=2")->json_is( '/rows/0/patron_id' => 3 )->json_is( '/next' => undef );
};

subtest 'what does not fit is refused' => sub {
    my ($t) = api(0);
    $t->get_ok('/api/v1/contrib/passport/owed')->status_is(400);
    $t->get_ok("$URL&limit=201")->status_is(400);
    $t->get_ok("$URL&after=-1")->status_is(400);
};

done_testing;

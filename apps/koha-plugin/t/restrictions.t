use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Test::Mojo;
use Test::More;

use C4::Context;
use Koha::Patron::Debarments ();
use Passport::TestApi;
use Passport::TestKoha;

my $BASE = '/api/v1/contrib/passport/restrictions';
my $OWED = "$BASE/owed/riverside/1";

# A Koha with one patron, number 1.
sub api {
    my $koha = Passport::TestKoha->new;
    $koha->add_patron( '21234000000017', 'ada' );

    return ( Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) ), $koha->{dbh} );
}

sub rows {
    my ($dbh) = @_;

    return $dbh->selectall_arrayref(
        'SELECT type, comment, expiration FROM borrower_debarments ORDER BY borrower_debarment_id');
}

sub debarred {
    my ($dbh) = @_;

    return scalar $dbh->selectrow_array('SELECT debarred FROM borrowers WHERE borrowernumber = 1');
}

subtest 'a restriction has a type of its own, names the library and nothing else, and is lifted again' =>
    sub {
    my ( $t, $dbh ) = api();
    $t->put_ok( $OWED => json => { until => undef } )->status_is(204);
    is_deeply( rows($dbh), [ [ 'PASSPORT_OWED', 'Patron Passport: debts at riverside', undef ] ], 'set' );
    is( debarred($dbh), '9999-12-31', 'Koha knows that the patron is restricted' );
    $t->delete_ok($OWED)->status_is(204);
    is_deeply( rows($dbh), [], 'lifted' );
    is( debarred($dbh), undef, 'Koha knows that, too' );
    $t->delete_ok($OWED)->status_is( 204, 'lifted before' );
    };

subtest 'what is as wanted is not written again, and another end is' => sub {
    my ( $t, $dbh ) = api();
    $t->put_ok( $OWED => json => { until => '2999-01-02' } )->status_is(204);
    my $writes = $Koha::Patron::Debarments::WRITES;
    $t->put_ok( $OWED => json => { until => '2999-01-02' } )->status_is(204);
    is( $Koha::Patron::Debarments::WRITES, $writes, 'nothing is written' );
    $t->put_ok( $OWED => json => { until => '2999-01-03' } )->status_is(204);
    is_deeply( [ map { $_->[2] } @{ rows($dbh) } ], ['2999-01-03'], 'one, with the new end' );
};

subtest 'codes of reasons stand in the comment, are followed, and lifted with it' => sub {
    my ( $t, $dbh ) = api();
    my $standing = "$BASE/standing/midland/1";
    my $comments = sub { return [ map { $_->[1] } @{ rows($dbh) } ] };
    my $comment  = 'Patron Passport: not in good standing at midland';
    $t->put_ok( $standing => json => { until => undef, codes => [qw( EXPIRED DEBT_OVER_LIMIT )] } )->status_is(204);
    is_deeply( rows($dbh), [ [ 'PASSPORT_STANDING', "$comment (EXPIRED, DEBT_OVER_LIMIT)", undef ] ], 'set' );
    my $writes = $Koha::Patron::Debarments::WRITES;
    $t->put_ok( $standing => json => { until => undef, codes => [qw( EXPIRED DEBT_OVER_LIMIT )] } )->status_is(204);
    is( $Koha::Patron::Debarments::WRITES, $writes, 'not written again' );
    $t->put_ok( $standing => json => { until => undef, codes => ['EXPIRED'] } )->status_is(204);
    is_deeply( $comments->(), ["$comment (EXPIRED)"], 'one, with the reasons of now' );
    $dbh->do( 'INSERT INTO borrower_debarments (borrowernumber, type, comment) VALUES (1, ?, ?)',
        undef, 'PASSPORT_STANDING', "$comment (asked her to call)" );
    $t->delete_ok($standing)->status_is(204);
    is_deeply( $comments->(), ["$comment (asked her to call)"], 'what somebody has edited is theirs' );
    $t->put_ok( $standing => json => { until => undef, codes => ['owes 400'] } )->status_is(400);
};

subtest 'a restriction for home carries an end, a type and what home has noted, and is found and lifted with them' => sub {
    my ( $t, $dbh ) = api();
    my $home    = "$BASE/home/midland/1";
    my $comment = 'Patron Passport: restricted at midland (SUSPENSION) "Asked to call, since 2 May"';
    my $how     = { until => '2999-01-02', codes => ['SUSPENSION'], comment => 'Asked to call, since 2 May' };
    $t->put_ok( $home => json => $how )->status_is(204);
    is_deeply( rows($dbh), [ [ 'PASSPORT_HOME', $comment, '2999-01-02' ] ], 'set' );
    is( debarred($dbh), '2999-01-02', 'until then' );
    my $writes = $Koha::Patron::Debarments::WRITES;
    $t->put_ok( $home => json => $how )->status_is(204);
    is( $Koha::Patron::Debarments::WRITES, $writes, 'not written again' );
    $t->get_ok("$BASE/home")->json_is( '/restrictions/0/library' => 'midland' );
    $t->put_ok( $home => json => { until => undef, codes => ['MANUAL'] } )->status_is(204);
    is_deeply( rows($dbh), [ [ 'PASSPORT_HOME', 'Patron Passport: restricted at midland (MANUAL)', undef ] ], 'followed' );
    $t->put_ok( $home => json => $how )->status_is(204);
    $t->delete_ok($home)->status_is(204);
    is_deeply( rows($dbh), [], 'lifted' );
    $t->put_ok( $home => json => { until => undef, comment => $_ } )->status_is(400)
        foreach q{}, 'x' x 201, '<b>', 'a "quote"', '[% d %]', "two\nlines";
    $t->put_ok( "$BASE/standing/midland/1" => json => { until => undef, comment => 'A note' } )
        ->status_is(400)
        ->json_is( '/error_code' => 'no_comment' );
};

subtest 'the restrictions of a patron that are in force: type and end, comments where wanted, none of our own' => sub {
    my ( $t, $dbh ) = api();
    my $of  = '/api/v1/contrib/passport/patrons/1/restrictions';
    my $add = 'INSERT INTO borrower_debarments (borrowernumber, type, expiration, comment) VALUES (?, ?, ?, ?)';
    $dbh->do( $add, undef, @{$_} )
        foreach [ 1, 'SUSPENSION', '2999-01-02', 'Three days late' ], [ 1, 'MANUAL', '2001-01-01', 'Over' ],
        [ 1, 'MANUAL', undef, 'x' x 300 ], [ 2, 'MANUAL', undef, 'Somebody else' ];
    $t->put_ok( $OWED => json => { until => undef } )->status_is(204);
    $t->get_ok($of)->status_is(200)->json_is(
        {   restrictions => [
                { type => 'SUSPENSION',    until => '2999-01-02' },
                { type => 'MANUAL',        until => undef },
                { type => 'PASSPORT_OWED', until => undef }
            ]
        }
    );
    $t->get_ok("$of?comments=true")->status_is(200)->json_is(
        {   restrictions => [
                { type => 'SUSPENSION',    until => '2999-01-02', comment => 'Three days late' },
                { type => 'MANUAL',        until => undef, comment => 'x' x 200 },
                { type => 'PASSPORT_OWED', until => undef }
            ]
        }
    );
    $t->get_ok('/api/v1/contrib/passport/patrons/9/restrictions')->json_is( { restrictions => [] } );
    $t->get_ok("$of?comments=false")->json_hasnt('/restrictions/0/comment');
    $t->get_ok("$of?comments=perhaps")->status_is(400);
    {
        local $Koha::Patron::SEES_ALL = 0;
        $t->get_ok($of)->json_is( { restrictions => [] } );
    }
};

subtest 'lifting one touches no other: of another library, another kind, or made by staff' => sub {
    my ( $t, $dbh ) = api();
    my @others = ( "$BASE/owed/lakeside/1", "$BASE/home/riverside/1" );
    $t->put_ok( $_ => json => { until => undef } )->status_is(204) foreach $OWED, @others;
    $dbh->do( 'INSERT INTO borrower_debarments (borrowernumber, type, comment) VALUES (1, ?, ?)',
        undef, 'MANUAL', 'Patron Passport: debts at riverside' );
    $t->delete_ok($OWED)->status_is(204);
    is_deeply(
        [ map { $_->[0] } @{ rows($dbh) } ],
        [qw( PASSPORT_OWED PASSPORT_HOME MANUAL )],
        'three are left'
    );
    is( debarred($dbh), '9999-12-31', 'and the patron is restricted' );
};

subtest 'two that came at once become one' => sub {
    my ( $t, $dbh ) = api();
    $t->put_ok( $OWED => json => { until => undef } )->status_is(204);
    $dbh->do( 'INSERT INTO borrower_debarments (borrowernumber, type, comment) VALUES (1, ?, ?)',
        undef, @{ rows($dbh)->[0] }[ 0, 1 ] );
    $t->put_ok( $OWED => json => { until => undef } )->status_is(204);
    is( scalar @{ rows($dbh) }, 1, 'one' );
};

subtest 'nobody, and nobody any more, is restricted' => sub {
    my ( $t, $dbh ) = api();
    $t->put_ok( "$BASE/owed/riverside/2" => json => { until => undef } )
        ->status_is(404)
        ->json_is( '/error_code' => 'not_found' );
    $dbh->do('UPDATE borrowers SET anonymized = 1');
    $t->put_ok( $OWED => json => { until => undef } )
        ->status_is(409)
        ->json_is( '/error_code' => 'anonymized' );
    is_deeply( rows($dbh), [], 'nothing written' );
};

subtest 'those of a kind are listed, page by page' => sub {
    my ( $t, $dbh ) = api();
    $t->put_ok( "$BASE/$_/1" => json => { until => undef } )->status_is(204)
        foreach qw( owed/riverside home/midland owed/lakeside );
    $dbh->do(
        q{INSERT INTO borrower_debarments (borrowernumber, type, comment) VALUES (1, 'PASSPORT_OWED', 'edited')}
    );
    my @rows = map { { id => $_->[0], patron_id => 1, library => $_->[1] } }
        ( [ 1, 'riverside' ], [ 3, 'lakeside' ], [ 4, undef ] );
    $t->get_ok("$BASE/owed")->status_is(200)->json_is( { restrictions => \@rows } );
    $t->get_ok("$BASE/owed?after=1&limit=1")->status_is(200)->json_is( { restrictions => [ $rows[1] ] } );
};

subtest 'what does not fit is refused, and nothing is written' => sub {
    my ( $t, $dbh ) = api();
    $t->put_ok( $OWED => json => $_ )->status_is(400) foreach { }
    , { until => 'soon' }, { until => undef, comment => 'x' };
    $t->put_ok( "$BASE/MANUAL/riverside/1" => json => { until => undef } )->status_is(400);
    $t->put_ok( "$BASE/owed/a%20b/1"       => json => { until => undef } )->status_is(400);
    $t->put_ok( $OWED => { 'Content-Type' => 'text/plain' } => '{"until":null}' )->status_is(415);
    $t->get_ok("$BASE/owed?limit=201")->status_is(400);
    is_deeply( rows($dbh), [], 'nothing' );
};

done_testing;

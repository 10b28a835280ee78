# The tests that use a database once more, on a real MariaDB by DBD::mysql, as Koha does.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Passport::TestMariaDb;

my $missing = Passport::TestMariaDb::missing();
plan skip_all => "MariaDB: $missing" if $missing;

my $server = Passport::TestMariaDb->start;
local $ENV{PASSPORT_TEST_MARIADB} = $server->socket;

foreach my $name (
    qw( caller configure copies deletions desk-page first-scan join known-patrons life-cycle loans notice owed ),
    qw( restrictions routes scans seen-copies setup setup-plan test-card waiting )
    )
{
    open my $test, '-|', "$^X '$FindBin::Bin/$name.t' 2>&1" or die "no perl: $!\n";
    my $said = do { local $/ = undef; <$test> };
    ok( close($test), "$name.t" )
        or diag( join "\n", grep { !m{\A \s* (?: ok | [#] [ ] Subtest )}xms } split m{\n}xms, $said );
    note($said);
}

done_testing;

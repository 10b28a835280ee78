# What several web workers do to one MariaDB at once: SQLite, which lets one write at a time, cannot show it.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Test::More;
use Time::HiRes qw( sleep time );

use Koha::Plugin::Org::PatronPassport::Locks qw( despite_locks );
use Koha::Plugin::Org::PatronPassport::Restrictions;
use Koha::Plugin::Org::PatronPassport::Scans;
use Passport::AtOnce qw( at_once );
use Passport::LaterTable;
use Passport::TestKoha;
use Passport::TestMariaDb;

my $missing = Passport::TestMariaDb::missing();
plan skip_all => "MariaDB: $missing" if $missing;

my $SERVER = Passport::TestMariaDb->start;
local $ENV{PASSPORT_TEST_MARIADB} = $SERVER->socket;

my $CLASS = 'Koha::Plugin::Org::PatronPassport';
my $TABLE = 'koha_plugin_org_patronpassport_scans';

our $NOW = time;

sub scans_of {
    my ($koha) = @_;

    return Koha::Plugin::Org::PatronPassport::Scans->new(
        { dbh => $koha->{dbh}, table => $TABLE, now => sub { return $NOW } } );
}

sub deadlocks {
    my ( undef, $count )
        = $SERVER->connect('mysql')->selectrow_array(q{SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'});

    return $count;
}

subtest 'four web workers that upgrade a table at the same moment all succeed' => sub {
    my $koha = Passport::TestKoha->new;
    foreach my $round ( 1 .. 10 ) {
        my $table  = Passport::LaterTable->older( $koha->{dbh} );
        my @errors = at_once(
            4,
            sub {
                my $mine = Passport::TestKoha->attach($koha);
                return sub { Passport::LaterTable->on( $mine->{dbh} )->ensure };
            }
        );
        is_deeply( \@errors, [], "round $round" );
        is_deeply(
            [ $table->row( 7, 'id, later, later_key' ) ],
            [ 7, undef, undef ],
            'the columns are there, and so is what was stored'
        );
    }
};

subtest 'four web workers that miss a table at the same moment all have it again' => sub {
    my $koha = Passport::TestKoha->new;
    foreach my $round ( 1 .. 10 ) {
        $koha->{dbh}->do("DROP TABLE $TABLE");
        my @errors = at_once(
            4,
            sub {
                my ($number) = @_;
                my $mine = Passport::TestKoha->attach($koha);
                return sub {
                    local $SIG{__WARN__} = sub { };
                    $koha->{plugin}->scans->note("scan_$number");
                };
            }
        );
        is_deeply( \@errors, [], "round $round" );
        is( scalar $koha->{dbh}->selectrow_array("SELECT COUNT(*) FROM $TABLE"), 4, 'with all four rows' );
    }
};

subtest 'four web workers that install at the same moment all succeed' => sub {
    my $koha = Passport::TestKoha->new;
    foreach my $round ( 1 .. 10 ) {
        $koha->{dbh}->do($_)
            foreach ( "DROP TABLE IF EXISTS $TABLE", 'DELETE FROM borrower_attribute_types' );
        my @errors = at_once(
            4,
            sub {
                my $mine = Passport::TestKoha->attach($koha);
                return sub { $koha->{plugin}->install or die "no install\n" };
            }
        );
        is_deeply( \@errors, [], "round $round" );
        is_deeply(
            $koha->{dbh}->selectcol_arrayref('SELECT code FROM borrower_attribute_types ORDER BY code'),
            [qw( PASSPORTED PASSPORTED_ID )],
            'with one type each'
        );
    }
};

# Another connection, in a transaction that has written more than any of ours, so that ours is the one that is ended:
# it takes the first lock, and does the other writes as soon as somebody waits for it.
sub holder {
    my ( $koha, $first, $then ) = @_;

    pipe my $is_held, my $held or die "no pipe: $!\n";
    my $pid = fork // die "no fork: $!\n";
    if ( !$pid ) {
        my $is_done = eval {
            my $dbh = $SERVER->connect( $koha->{database} );
            $dbh->begin_work;
            $dbh->do("INSERT INTO ballast VALUES ($_)") foreach 1 .. 50;
            $dbh->do($first);
            syswrite $held, q{.};
            await( sub { waiting() } );
            $then->($dbh);
            $dbh->commit;
            1;
        };
        warn $@ if !$is_done;
        require POSIX;
        POSIX::_exit(0);
    }
    sysread $is_held, my $dot, 1;

    return sub { waitpid $pid, 0 };
}

# Since when a transaction has been waiting for a lock, as the server sees it; empty when none is.
sub waiting {
    my ($since)
        = $SERVER->connect('mysql')
        ->selectrow_array(
        q{SELECT trx_wait_started FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'});

    return $since // q{};
}

sub await {
    my ($is_so) = @_;

    # InnoDB's account is renewed for who has not read it for 100 ms
    my $deadline = time + 30;
    sleep 0.15 while time < $deadline && !$is_so->();

    return;
}

# A Koha with a table in which a statement of ours and the holder's cross.
sub koha_with_rows {
    my $koha = Passport::TestKoha->new;
    $koha->{dbh}->do($_)
        foreach (
        'CREATE TABLE ballast (id INT PRIMARY KEY) ENGINE=InnoDB',
        'CREATE TABLE pair (id INT PRIMARY KEY, value INT) ENGINE=InnoDB',
        'INSERT INTO pair VALUES (1, 0), (2, 0)',
        );

    return $koha;
}

my $BOTH = 'UPDATE pair SET value = value + 1 WHERE id IN (1, 2)';

subtest 'a statement that the database ends for a deadlock is sent again' => sub {
    my $koha   = koha_with_rows();
    my $before = deadlocks();
    my $finish = holder(
        $koha,
        'UPDATE pair SET value = 10 WHERE id = 2',
        sub { $_[0]->do('UPDATE pair SET value = 10 WHERE id = 1') }
    );
    my $tries = 0;
    is( despite_locks( $koha->{dbh}, sub { $tries++; return $koha->{dbh}->do($BOTH) } ), 2, 'both rows' );
    $finish->();
    is( deadlocks() - $before, 1, 'there was one' );
    is( $tries,                2, 'twice' );
    is_deeply( $koha->{dbh}->selectcol_arrayref('SELECT value FROM pair'), [ 11, 11 ], 'done once' );
};

subtest 'inside a transaction nothing is sent again, since the database took back all of it' => sub {
    my $koha   = koha_with_rows();
    my $dbh    = $koha->{dbh};
    my $finish = holder(
        $koha,
        'UPDATE pair SET value = 10 WHERE id = 2',
        sub { $_[0]->do('UPDATE pair SET value = 10 WHERE id = 1') }
    );
    $dbh->begin_work;
    my $tries = 0;
    ok( !eval {
            despite_locks( $dbh, sub { $tries++; return $dbh->do($BOTH) } );
            1;
        },
        'it fails'
    );
    my $error = $@;
    like( "$error", qr{Deadlock}xms, 'as the database says' );
    isa_ok( $error, 'DBIx::Class::Exception', 'the error as it came' );
    is( $tries, 1, 'once' );
    $dbh->rollback;
    $finish->();
};

subtest 'another error is not tried again' => sub {
    my $dbh   = koha_with_rows()->{dbh};
    my $tries = 0;
    ok( !eval {
            despite_locks( $dbh, sub { $tries++; return $dbh->do('INSERT INTO pair VALUES (1, 0)') } );
            1;
        },
        'it fails'
    );
    is( $tries, 1, 'once' );
};

subtest 'an event is noted though its row is locked for longer than the database waits' => sub {
    my $koha = koha_with_rows();
    $koha->{dbh}->do('SET SESSION innodb_lock_wait_timeout = 1');
    my $finish = holder(
        $koha,
        "INSERT INTO $TABLE (event_id, seq, state, stored_at, ask_at) VALUES ('scan_1', 0, 'queued', $NOW, $NOW)",
        sub {
            sleep 0.15;
            my $first = waiting();
            await( sub { my $now = waiting(); return $now && $now ne $first } );
        },
    );
    my $scans = scans_of($koha);
    $scans->note( 'scan_1', 'a' x 64 );
    $finish->();
    is( $scans->hand_out( 'a' x 64 ), 'scan_1', 'and can be handed out' );
};

subtest 'old events are forgotten while another worker writes to them' => sub {
    my $koha = koha_with_rows();
    my $dbh  = $koha->{dbh};
    $dbh->do(
        "INSERT INTO $TABLE (event_id, seq, state, stored_at, ask_at) VALUES ('scan_$_', 0, 'queued', $_, 0)")
        foreach 1 .. 3;
    my $touch  = sub {"UPDATE $TABLE SET seq = 1 WHERE event_id = 'scan_$_[0]'"};
    my $finish = holder( $koha, $touch->(2), sub { $_[0]->do( $touch->(1) ) } );
    $koha->{plugin}->cronjob_nightly;
    $finish->();
    is_deeply( $dbh->selectcol_arrayref("SELECT event_id FROM $TABLE"), [], 'all of them' );
};

subtest 'ten web workers do 18,000 things at once, with old events to forget, and none of them fails' => sub {
    my $koha   = Passport::TestKoha->new;
    my $before = deadlocks();
    my @errors = at_once(
        10,
        sub {
            my ($number) = @_;
            my $mine = Passport::TestKoha->attach($koha);
            srand $number;
            return sub {
                my $failed = 0;
                foreach my $count ( 1 .. 450 ) {

                    # now and then it is tomorrow for one of them, and all events are old
                    local $NOW = $NOW + ( $count % 50 ? 0 : 90_000 );
                    my $scans = scans_of($mine);
                    my $id    = "scan_${number}_$count";
                    my $key   = sprintf '%064d', int rand 40;
                    foreach my $work (
                        sub { $scans->note( $id, $key ) },
                        sub { $scans->hand_out($key) },
                        sub { $scans->keep( { event_id => $id, seq => int rand 9, state => 'done' } ) },
                        sub { $scans->purge },
                        )
                    {
                        $failed++ if !eval { $work->(); 1 };
                    }
                }
                die "$failed failed\n" if $failed;
            };
        }
    );
    is_deeply( \@errors, [], 'no error' );
    note( deadlocks() - $before, ' deadlocks' );
};

subtest 'a patron who is restricted by four web workers at the same moment is restricted once' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->add_patron( '21234000000017', 'ada' );
    my $which = { kind => 'owed', library => 'riverside', patron_id => 1 };
    my @of    = ( { Slice => {} }, 1 );
    foreach my $round ( 1 .. 10 ) {
        my @errors = at_once(
            4,
            sub {
                my $mine = Passport::TestKoha->attach($koha);
                my $restrictions
                    = Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => $mine->{dbh} } );
                return sub { $restrictions->set( $which, undef ) eq 'set' or die "not set\n" };
            }
        );
        is_deeply( \@errors, [], "round $round" );
        my $rows = $koha->connect->selectall_arrayref(
            'SELECT type FROM borrower_debarments WHERE borrowernumber = ?', @of );
        is( scalar @{$rows}, 1, "round $round: once" );
        Koha::Plugin::Org::PatronPassport::Restrictions->new( { dbh => $koha->{dbh} } )->lift($which);
    }
};

done_testing;

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Test::More;

use Koha::Plugin::Org::PatronPassport::Setup qw( ensure );
use Passport::TestKoha;

sub types_of {
    my ($koha) = @_;

    return $koha->{dbh}->selectall_hashref( 'SELECT * FROM borrower_attribute_types', 'code' );
}

subtest 'installing makes the attribute types, for staff only and not searchable' => sub {
    my $types = types_of( Passport::TestKoha->new );
    is_deeply( [ sort keys %{$types} ], [qw( PASSPORTED PASSPORTED_ID )], 'both are there' );
    is( $types->{PASSPORTED}{unique_id},    0, 'many copies come from one library' );
    is( $types->{PASSPORTED_ID}{unique_id}, 1, 'a home key is unique' );
    foreach my $code ( sort keys %{$types} ) {
        is( $types->{$code}{$_}, 0, "$code: $_ is off" )
            foreach qw( repeatable mandatory opac_display opac_editable staff_searchable );
    }
};

subtest 'before 24.11 a code has 10 characters, so the home key gets a shorter one' => sub {
    is_deeply(
        [ sort keys %{ types_of( Passport::TestKoha->new( code_length => 10 ) ) } ],
        [qw( PASSPORTED PASSPORTID )],
        'it fits'
    );
};

subtest 'a type that is there already is left as the library has it' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->{dbh}->do(q{UPDATE borrower_attribute_types SET description = 'Ours', opac_display = 1});
    my $before = types_of($koha);
    ensure( $koha->{plugin} );
    is_deeply( types_of($koha), $before, 'unchanged' );
};

subtest 'install, upgrade and uninstall can be repeated and delete no attribute of a patron' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->{dbh}->do(
        q{INSERT INTO borrower_attributes VALUES (1, 'PASSPORTED', 'midland'), (1, 'PASSPORTED_ID', 'midland:7')}
    );
    my $before = $koha->{dbh}->selectall_arrayref('SELECT * FROM borrower_attributes');

    foreach my $step (qw( install install upgrade upgrade uninstall uninstall install )) {
        ok( $koha->{plugin}->$step, $step );
        is_deeply( $koha->{dbh}->selectall_arrayref('SELECT * FROM borrower_attributes'),
            $before, "$step: no attribute is gone" );
        is_deeply( [ sort keys %{ types_of($koha) } ], [qw( PASSPORTED PASSPORTED_ID )],
            "$step: nor a type" );
    }
};

subtest 'the restriction types are made once, and Koha lets nobody delete them' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->{dbh}->do(q{UPDATE restriction_types SET display_text = 'Ours' WHERE code = 'PASSPORT_OWED'});
    $koha->{plugin}->$_ foreach qw( upgrade uninstall install );
    is_deeply(
        $koha->{dbh}
            ->selectall_arrayref('SELECT code, is_system, is_default FROM restriction_types ORDER BY code'),
        [ [ 'MANUAL', 0, 1 ], [ 'PASSPORT_HOME', 1, 0 ], [ 'PASSPORT_OWED', 1, 0 ] ],
        'beside those of Koha'
    );
    is( scalar $koha->{dbh}->selectrow_array(
            'SELECT display_text FROM restriction_types WHERE code = ?',
            undef, 'PASSPORT_OWED'
        ),
        'Ours',
        'and left as the library has them'
    );
};

subtest 'the table goes with the plugin and comes back with it' => sub {
    my $koha  = Passport::TestKoha->new;
    my $scans = $koha->{plugin}->scans;
    $scans->note('scan_1');
    $koha->{plugin}->upgrade;
    ok( $scans->fetch('scan_1'), 'an upgrade keeps what is in it' );
    $koha->{plugin}->uninstall;
    ok( !eval { $scans->fetch('scan_1'); 1 }, 'an uninstall removes it' );
    $koha->{plugin}->install;
    is( $scans->fetch('scan_1'), undef, 'empty' );
};

subtest 'a table from before is brought up to date with what is in it, however often' => sub {
    my $koha = Passport::TestKoha->new;
    my $name = 'koha_plugin_org_patronpassport_scans';
    $koha->{dbh}->do($_)
        foreach (
        "DROP TABLE $name",
        "CREATE TABLE $name (event_id VARCHAR(128) NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, state VARCHAR(16) NOT NULL,"
        . ' told MEDIUMTEXT NULL, stored_at BIGINT NOT NULL, ask_at BIGINT NOT NULL)',
        "INSERT INTO $name VALUES ('scan_old', 0, 'queued', NULL, 4000000000, 4000000000)",
        );
    foreach my $step (qw( upgrade upgrade install )) {
        ok( $koha->{plugin}->$step,                    $step );
        ok( $koha->{plugin}->scans->fetch('scan_old'), "$step: the row is there" );
    }
    $koha->{plugin}->scans->note( 'scan_1', 'a' x 64 );
    is( $koha->{plugin}->scans->hand_out( 'a' x 64 ), 'scan_1', 'and new ones can be handed out' );
};

subtest 'the nightly job forgets what is older than a day' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->{plugin}->scans->note('scan_1');
    $koha->{dbh}->do('UPDATE koha_plugin_org_patronpassport_scans SET stored_at = stored_at - 90000');
    $koha->{plugin}->cronjob_nightly;
    is( $koha->{plugin}->scans->fetch('scan_1'), undef, 'gone' );
};

done_testing;

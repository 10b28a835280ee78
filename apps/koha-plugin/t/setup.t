use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use CGI;
use Test::More;

use Koha::Plugin::Org::PatronPassport::Setup qw( ensure );
use Koha::Patron;
use Koha::Plugins::Handler;
use Passport::LaterTable;
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
        [   [ 'DISCHARGE', 1, 0 ],
            [ 'MANUAL', 0, 1 ],
            ( map { [ $_, 1, 0 ] } qw( OVERDUES PASSPORT_HOME PASSPORT_OWED PASSPORT_STANDING SUSPENSION ) )
        ],
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

sub own_tables {
    my ($koha) = @_;

    return grep {m{patronpassport}xms} sort @{ Passport::TestDatabase::tables( $koha->{dbh} ) };
}

my @OWN = map {"koha_plugin_org_patronpassport_$_"} qw( copies scans );

subtest
    'a table that is missing, as after a restore of part of the database, is made again once it is used' =>
    sub {
    my %uses = (
        'scans:note'  => sub { $_[0]->scans->note('scan_1') },
        'scans:fetch' => sub { $_[0]->scans->fetch('scan_1') },
        'scans:purge' => sub { $_[0]->cronjob_nightly },
        'copies:page' => sub { $_[0]->copies->page( {} ) },
        'copies:keep' =>
            sub { $_[0]->copies->keep( 1, { version => 0, home_key => 'midland:8', fields => {} } ) },
        'copies:seen'  => sub { $_[0]->copies->mark_seen( 1, 2, 1 ) },
        'copies:night' => sub { $_[0]->cronjob_nightly },
    );
    foreach my $use ( sort keys %uses ) {
        my $koha = Passport::TestKoha->new;
        my ($which) = $use =~ m{\A (\w+)}xms;
        $koha->{dbh}->do("DROP TABLE koha_plugin_org_patronpassport_$which");
        my @warnings;
        local $SIG{__WARN__} = sub { push @warnings, @_ };
        ok( eval { $uses{$use}->( $koha->{plugin} ); 1 }, "$use: works" ) or diag($@);
        is_deeply( [ own_tables($koha) ], \@OWN, "$use: the table is there" );
        is( scalar @warnings, 1, "$use: one line" );
        like( $warnings[0] // q{}, qr{patronpassport_$which [ ] was [ ] missing}xms, "$use: that says so" );
        ok( $uses{$use}->( $koha->{plugin} ) || 1, "$use: again" );
        is( scalar @warnings, 1, "$use: without another line" );
    }
    };

subtest 'no table is made inside a transaction of Koha, which it would end' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->{dbh}->do("DROP TABLE $OWN[1]");
    $koha->{dbh}->begin_work;
    ok( !eval { $koha->{plugin}->scans->fetch('scan_1'); 1 }, 'the error as it came' );
    $koha->{dbh}->rollback;
    is_deeply( [ own_tables($koha) ], [ $OWN[0] ], 'and no table' );
};

subtest 'an address that a browser opens removes nothing' => sub {
    my $koha = Passport::TestKoha->new;
    foreach my $method (qw( GET POST )) {
        local $ENV{REQUEST_METHOD} = $method;
        Koha::Plugins::Handler->run(
            { class => $Passport::TestKoha::CLASS, method => 'uninstall', cgi => CGI->new( {} ) } );
        like( Passport::Page::last_page(), qr{Nothing [ ] was [ ] removed}xms, "$method: it says so" );
        is_deeply( [ own_tables($koha) ], \@OWN, "$method: the tables are there" );
    }
};

subtest 'why a set-up failed is in the log and on both pages, and the next one may succeed' => sub {
    foreach my $step (qw( install upgrade )) {
        my $koha = Passport::TestKoha->new;
        my @warnings;
        local $SIG{__WARN__} = sub { push @warnings, @_ };
        local $koha->{dbh}{PrintError} = 0;
        $koha->{dbh}->do("DROP TABLE $_") foreach qw( borrower_debarments restriction_types );
        $koha->{dbh}->do( q{DELETE FROM plugin_data WHERE plugin_key = ?}, undef, '__INSTALLED__' )
            if $step eq 'install';
        $koha->{dbh}
            ->do(q{UPDATE plugin_data SET plugin_value = '0.9.0' WHERE plugin_key = '__INSTALLED_VERSION__'});

        foreach my $page (qw( configure tool )) {
            @warnings = ();
            local $ENV{REQUEST_METHOD} = 'GET';
            Koha::Plugins::Handler->run(
                { class => $Passport::TestKoha::CLASS, method => $page, cgi => CGI->new( {} ) } );
            like(
                Passport::Page::last_page(),
                qr{id="passport_setup_error" .* restriction_types}xms,
                "$step: $page"
            );
            like(
                "@warnings",
                qr{Patron [ ] Passport: [ ] $step [ ] failed: .* restriction_types}xms,
                "$step: the log"
            );
        }

        $koha->{dbh}
            ->do( 'CREATE TABLE restriction_types (code VARCHAR(50) PRIMARY KEY, display_text TEXT NOT NULL,'
                . ' is_system INT NOT NULL DEFAULT 0, is_default INT NOT NULL DEFAULT 0)' );
        my $plugin = $Passport::TestKoha::CLASS->new( { enable_plugins => 1 } );
        is( $plugin->retrieve_data('__INSTALLED_VERSION__'), $plugin->get_metadata->{version},
            "$step: done" );
    }
};

subtest 'the table goes with the plugin and comes back with it' => sub {
    my $koha  = Passport::TestKoha->new;
    my $scans = $koha->{plugin}->scans;
    $scans->note('scan_1');
    $koha->{plugin}->upgrade;
    ok( $scans->fetch('scan_1'), 'an upgrade keeps what is in it' );
    $koha->{plugin}->uninstall;
    is_deeply( [ own_tables($koha) ], [], 'an uninstall removes it' );
    $koha->{plugin}->install;
    is( $scans->fetch('scan_1'), undef, 'empty' );
};

subtest 'a table from before is brought up to date with what is in it, however often' => sub {
    my $table = Passport::LaterTable->older( Passport::TestKoha->new->{dbh} );
    foreach my $time ( 1 .. 3 ) {
        $table->ensure;
        is_deeply(
            [ $table->row( 7, 'id, later, later_key' ) ],
            [ 7, undef, undef ],
            "$time: the row is there, and the columns"
        );
    }
    ok( $table->update( 7, { later => 8, later_key => 'a' }, 'id = ?', 7 ), 'which are written' );
};

subtest 'the nightly job forgets what is older than a day' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->{plugin}->scans->note('scan_1');
    $koha->{dbh}->do('UPDATE koha_plugin_org_patronpassport_scans SET stored_at = stored_at - 90000');
    $koha->{plugin}->cronjob_nightly;
    is( $koha->{plugin}->scans->fetch('scan_1'), undef, 'gone' );
};

done_testing;

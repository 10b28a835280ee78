use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use POSIX ();
use Test::Mojo;
use Test::More;

use C4::Letters ();
use Passport::TestApi;
use Passport::TestKoha;
use Koha::Plugin::Org::PatronPassport::Notice qw( queue_notice );

my $URL  = '/api/v1/contrib/passport/copies';
my %MADE = ( home => 'Midland Public Library', groups => [qw( card name contact unknown )] );

# A lending library that tells its patrons, or not, with a copy that has an address.
sub api {
    my ( $is_on, %patron ) = @_;

    my $koha = Passport::TestKoha->new->configure( tell_patrons => $is_on );
    add( $koha, 1, email => 'ada@example.org', %patron );

    return ( Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) ), $koha );
}

sub add {
    my ( $koha, $number, %patron ) = @_;

    my %row     = ( borrowernumber => $number, cardnumber => "c$number", userid => "u$number", %patron );
    my @columns = sort keys %row;
    $koha->{dbh}->do(
        sprintf(
            'INSERT INTO borrowers (%s) VALUES (%s)',
            join( q{, }, @columns ),
            join q{, }, (q{?}) x @columns
        ),
        undef,
        @row{@columns}
    );

    return;
}

sub row {
    my (%changed) = @_;

    return { version => 0, home_key => 'midland:8', fields => {}, made => \%MADE, %changed };
}

sub messages {
    my ($koha) = @_;

    return
        @{ $koha->{dbh}
            ->selectall_arrayref( 'SELECT * FROM message_queue ORDER BY message_id', { Slice => {} } ) };
}

subtest 'the notice is there after the installation, in our languages, and what was edited stays' => sub {
    my ( undef, $koha ) = api(0);
    my $find = q{SELECT lang FROM letter WHERE code = 'PASSPORT_COPY' AND module = 'members' ORDER BY lang};
    is_deeply( $koha->{dbh}->selectcol_arrayref($find), [qw( de-DE default es-ES fr-FR )], 'one for each' );
    $koha->{dbh}->do(q{UPDATE letter SET content = 'Edited' WHERE lang = 'default'});
    $koha->{dbh}->do(q{DELETE FROM letter WHERE lang = 'de-DE'});
    $koha->{plugin}->upgrade foreach 1 .. 2;
    is_deeply( $koha->{dbh}->selectcol_arrayref($find), [qw( de-DE default es-ES fr-FR )], 'again' );
    is( $koha->{dbh}->selectrow_array(q{SELECT content FROM letter WHERE lang = 'default'}),
        'Edited', 'as it was' );
};

subtest 'by default nobody is told, and who was not told then is not told later' => sub {
    my ( $t, $koha ) = api(0);
    $t->put_ok( "$URL/1" => json => row() )->status_is(200)->json_is( { version => 1 } );
    $koha->configure( tell_patrons => 1 );
    $t->put_ok( "$URL/1" => json => row( version => 1 ) )->status_is(200);
    is( scalar messages($koha), 0, 'no message' );
};

subtest 'a patron is told once that a copy was made: by whom, which fields, and whom to ask' => sub {
    my ( $t, $koha ) = api(1);
    $t->put_ok( "$URL/1" => json => row() )->status_is(200);
    my ($message) = messages($koha);
    is( $message->{subject}, 'Main has a copy of your data', 'its title' );
    like( $message->{content}, qr{Midland[ ]Public[ ]Library:[ ]card[ ]number,[ ]name,[ ]e-mail}xms,
        'its fields' );
    unlike( $message->{content}, qr{<<|ada\@}xms, 'nothing is left, and nothing of the patron is in it' );
    is_deeply(
        [ @{$message}{qw( borrowernumber letter_code message_transport_type status )} ],
        [ 1, 'PASSPORT_COPY', 'email', 'pending' ],
        'in Koha\'s queue'
    );

    $t->put_ok( "$URL/1" => json => row( version => 1 ) )->status_is(200);
    $t->put_ok( "$URL/1" => json => row() )->status_is(409);
    $t->put_ok( "$URL/1" => json => { %{ row( version => 2 ) }{qw( version home_key fields )} } )
        ->status_is(200);
    is( scalar messages($koha), 1, 'never again, and not for a refresh' );

    $t->put_ok( "$URL/7" => json => { %{ row() }{qw( version home_key fields )} } )->status_is(200);
    is( scalar messages($koha), 1, 'nor for one that was not made now' );
};

subtest 'in the language of the patron where Koha translates notices, else in the library\'s' => sub {
    foreach my $case (
        [ 0, 'de-DE',   q{},        'Main has' ],
        [ 1, 'de-DE',   q{},        'Main hat' ],
        [ 1, 'default', q{},        'Main has' ],
        [ 1, 'nb-NO',   q{},        'Main has' ],
        [ 1, 'fr-CA',   q{},        'Main has' ],
        [ 0, 'default', 'fr-FR,en', 'Main a' ]
        )
    {
        my ( $translates, $lang, $opac, $title ) = @{$case};
        local $C4::Context::PREFERENCE{OPACLanguages} = $opac;
        my ( $t, $koha ) = api( 1, lang => $lang );
        $koha->{dbh}->do('DELETE FROM letter');
        local $C4::Context::PREFERENCE{OPACLanguages} = $opac;
        $koha->{plugin}->upgrade;
        local $C4::Context::PREFERENCE{TranslateNotices} = $translates;
        $t->put_ok( "$URL/1" => json => row() )->status_is(200);
        like( ( messages($koha) )[0]{subject}, qr{\A \Q$title\E \s}xms, "$lang, $translates, $opac" );
    }
};

subtest 'nobody is told without an address, without the notice, or without being there' => sub {
    my ( $t, $koha ) = api( 1, email => undef );
    $t->put_ok( "$URL/1" => json => row() )->status_is(200);
    $t->put_ok( "$URL/9" => json => row() )->status_is(200);
    add( $koha, 2, email => 'two@example.org' );
    $koha->{dbh}->do('DELETE FROM letter');
    local $SIG{__WARN__} = sub { };
    $t->put_ok( "$URL/2" => json => row() )->status_is(200);
    is( scalar messages($koha), 0, 'no message' );
};

subtest 'what the Template Toolkit would run is taken out of the name of a library' => sub {
    my ( $t, $koha ) = api(1);
    my $name = 'Mid[% PERL %]land <<borrowers.password>>';
    $t->put_ok( "$URL/1" => json => row( made => { %MADE, home => $name } ) )->status_is(200);
    like( ( messages($koha) )[0]{content}, qr{Mid[ ]PERL[ ]land[ ]borrowers[.]password}xms, 'plain text' );
    $t->put_ok( "$URL/2" => json => row( made => { home => 'x', groups => ['A B'] } ) )->status_is(400);
    $t->put_ok( "$URL/2" => json => row( made => { home => 'x', groups => [], more => 1 } ) )->status_is(400);
};

subtest 'a notice that Koha cannot process keeps no copy back, and what the database says does' => sub {
    my ( $t, $koha ) = api(1);
    $koha->{dbh}->do(q{UPDATE letter SET content = 'Dear [% IF %] <<passport_home>>'});
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    $t->put_ok( "$URL/1" => json => row() )->status_is(200)->json_is( { version => 1 } );
    is( scalar messages($koha), 0, 'no message' );
    is( scalar @warnings, 1, 'it is written down' );
    like( "@warnings", qr{the [ ] notice [ ] PASSPORT_COPY [ ] failed}xms, 'as what it is' );
    unlike( "@warnings", qr{Midland|ada\@}xms, 'without a word of it' );

    $koha->{plugin}->upgrade;
    $koha->{dbh}->do(q{UPDATE letter SET content = 'Dear <<passport_home>>'});
    $t->put_ok( "$URL/1" => json => row( version => 1 ) )->status_is(200);
    is( scalar messages($koha), 0, 'and it was decided then' );

    add( $koha, 2, email => 'two@example.org' );
    local $koha->{dbh}{PrintError} = 0;
    $koha->{dbh}->do('DROP TABLE letter');
    $t->put_ok( "$URL/2" => json => row() )->status_is(500);
    my $stored = 'SELECT COUNT(*) FROM koha_plugin_org_patronpassport_copies WHERE patron_id = 2';
    is( $koha->{dbh}->selectrow_array($stored), 0, 'nothing is stored where the transaction may be gone' );
};

subtest '100 patrons are told exactly once, whenever the process that tells them is killed' => sub {
    my $koha = Passport::TestKoha->new->configure( tell_patrons => 1 );
    add( $koha, $_, email => "$_\@example.org" ) foreach 1 .. 100;
    my $killed = 0;
    foreach my $number ( 1 .. 100 ) {

        # the service repeats a call until it has the answer, with the version that it reads then
        for my $try ( 1 .. 5 ) {
            my $at  = ( $number + $try ) % 5;
            my $pid = fork // die "no fork: $!\n";
            if ( !$pid ) { store( $koha, $number, $try < 5 ? $at : 4 ) }
            waitpid $pid, 0;
            last if $? == 0;
            $killed++;
        }
    }
    $koha->connect;
    cmp_ok( $killed, '>', 150, "killed $killed times" );
    is_deeply( [ map { $_->{borrowernumber} } messages($koha) ], [ 1 .. 100 ], 'each once' );
    my $told = 'SELECT COUNT(*) FROM koha_plugin_org_patronpassport_copies WHERE told_at IS NOT NULL';
    is( $koha->{dbh}->selectrow_array($told), 100, 'and written down' );
};

# In a process of its own, which dies before (0), in the middle of (1, 2) or after (3) the transaction; or does not (4).
sub store {
    my ( $koha, $number, $at ) = @_;

    my $mine = Passport::TestKoha->attach($koha);
    my $die  = sub { kill KILL => $$ };
    $mine->{plugin} = $Passport::TestKoha::CLASS->new( { enable_plugins => 1 } );
    $die->() if $at == 0;
    local $C4::Letters::BEFORE_QUEUED = $at == 1 ? $die : sub { };
    my $tell      = sub { queue_notice( $mine->{plugin}, @_ ); $die->() if $at == 2; };
    my $copies    = $mine->{plugin}->copies;
    my ($version) = $copies->row( $number, 'version' );
    my $is_stored = $copies->keep( $number, row( version => $version // 0 ), $tell );
    $die->() if $at == 3;
    POSIX::_exit( $is_stored ? 0 : 1 );
}

done_testing;

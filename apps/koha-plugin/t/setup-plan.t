# The button of the configuration page: what it would make, for whom, and what it makes.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use CGI;
use Test::More;

use Koha::Patron;
use Passport::TestKoha;
use Passport::TestReceiver;

# A Koha in which nothing is set up but the plugin, and whoever clicks is a superlibrarian unless a test says otherwise.
sub bare_koha {
    my (@permissions) = @_;

    my $koha = Passport::TestKoha->new;
    %Koha::Patron::PERMISSIONS = ( 51 => { map { $_ => 1 } @permissions ? @permissions : 'superlibrarian' } );
    $koha->{dbh}->do(
        q{INSERT INTO categories (categorycode, description, category_type) VALUES ('S', 'Staff', 'S'), ('AD', 'Adult', 'A')}
    );
    $koha->{dbh}
        ->do( 'INSERT INTO circulation_rules (branchcode, categorycode, itemtype, rule_name, rule_value)'
            . q{ VALUES (NULL, 'AD', NULL, 'maxissueqty', '7'), ('MAIN', 'AD', 'BK', 'issuelength', '21')} );
    $C4::Context::PREFERENCE{ExtendedPatronAttributes} = 0;

    return $koha;
}

sub page_of {
    my ( $koha, %sent ) = @_;

    return $koha->plugin_page( 'configure', \%sent );
}

# Somebody in a category for staff, without a password.
sub add_staff {
    my ( $koha, $login ) = @_;

    Koha::Patron->new( { cardnumber => "90-$login", userid => $login, categorycode => 'S' } )->store;

    return;
}

# As a browser sends the form: all that is ticked, and the choices.
sub press {
    my ( $koha, %choices ) = @_;

    my $ticked = page_of($koha)->find('#passport_make input[name=step][checked]')->map( sub { $_->{value} } );
    my @steps  = ( @{$ticked}, map {s{choice_}{}xmsr} keys %choices );

    return page_of( $koha, op => 'cud-setup', step => \@steps, %choices );
}

sub steps_of {
    my ($page) = @_;

    return $page->find('.passport-step')->map( sub { $_->{'data-step'} } )->to_array;
}

sub open_findings {
    my ($page) = @_;

    return $page->find('#passport_checks [data-level=fault]')->map( sub { $_->{'data-check'} } )->to_array;
}

# Every row of every table, without what the plugin keeps of itself.
sub all_rows {
    my ($koha) = @_;

    my %rows = map { $_ => $koha->{dbh}->selectall_arrayref("SELECT * FROM $_") }
        grep { !m{sqlite}xms } @{ Passport::TestDatabase::tables( $koha->{dbh} ) };
    $rows{preferences} = {%C4::Context::PREFERENCE};

    return \%rows;
}

my @ALL = qw( secret preference_RESTOAuth2ClientCredentials user_new preference_ExtendedPatronAttributes
    category_PASSPORT rules_PASSPORT );

subtest 'the page lists what the button would make, and opening it changes nothing' => sub {
    my $koha   = bare_koha();
    my $before = all_rows($koha);
    my $page   = page_of($koha);
    is_deeply( steps_of($page), \@ALL, 'all that is missing' );
    like(
        $page->at('[data-step=user_new]')->all_text,
        qr{category [ ] S, [ ] library [ ] MAIN .* borrowers: [ ] edit_borrowers; .* catalogue}xms,
        'the user with its permissions'
    );
    ok( !$page->at('[data-step=rules_PASSPORT] input[checked]'), 'the rules are not chosen yet' );
    is( $page->at('[data-check=categories] a')->{href},
        '/cgi-bin/koha/admin/categories.pl',
        'Koha\'s own page'
    );
    is_deeply( all_rows($koha), $before, 'nothing was changed' );

    local $ENV{REQUEST_METHOD} = 'GET';
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc';
    $koha->{plugin}{cgi} = CGI->new( { op => 'cud-setup', csrf_token => 'token-of-abc', step => \@ALL } );
    $koha->{plugin}->configure;
    is_deeply( all_rows($koha), $before, 'nor by an address that looks like the button' );
};

subtest 'one press makes all of it, and the next finds nothing to do' => sub {
    my $koha = bare_koha();
    my $page = press( $koha, choice_rules_PASSPORT => 'AD' );
    is( $page->find('#passport_done [data-done="1"]')->size, @ALL, 'all' );
    is_deeply( open_findings($page), ['settings'], 'what is left is for a person: the address' );

    my $user = Koha::Patrons->find( { userid => 'passport' } );
    is( $koha->{plugin}->settings->{service_user}, $user->borrowernumber, 'the user is the service\'s' );
    ok( $user->has_permission(
            { borrowers => 'edit_borrowers', circulate => 'circulate_remaining_permissions' }
        ),
        'may do what the service needs'
    );
    ok( !$user->has_permission( { $_ => 1 } ), "not $_" )
        foreach qw( superlibrarian permissions parameters plugins );
    is( $koha->{dbh}->selectrow_array( 'SELECT password FROM borrowers WHERE userid = ?', undef, 'passport' ),
        q{!},
        'no password'
    );
    is_deeply(
        $koha->{dbh}->selectall_arrayref(
            q{SELECT branchcode, itemtype, rule_name, rule_value FROM circulation_rules WHERE categorycode = 'PASSPORT' ORDER BY id}
        ),
        [ [ undef, undef, 'maxissueqty', '7' ], [ 'MAIN', 'BK', 'issuelength', '21' ] ],
        'the rules of the category that was chosen'
    );

    my $before = all_rows($koha);
    is_deeply( steps_of( page_of($koha) ), [], 'nothing is missing' );
    page_of( $koha, op => 'cud-setup', step => \@ALL, choice_rules_PASSPORT => 'AD' );
    is_deeply( all_rows($koha), $before, 'and a press that comes late makes nothing twice' );
};

subtest 'secrets are shown once, and are in no log' => sub {
    my $koha = bare_koha();
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    my $page    = press( $koha, choice_rules_PASSPORT => 'AD' );
    my @secrets = map { $page->at("#passport_once_$_")->text } qw( client_secret webhook_secret );
    is( $koha->{plugin}->settings->{secret}, $secrets[1], 'the secret of the webhook is in use' );
    my $log = join "\n", @warnings,
        map { $_->[0] } @{ $koha->{dbh}->selectall_arrayref('SELECT info FROM action_logs') };
    foreach my $secret (@secrets) {
        unlike( $log,                      qr{\Q$secret}xms, 'not in a log' );
        unlike( page_of($koha)->to_string, qr{\Q$secret}xms, 'not on the next page' );
    }
    my $key = $koha->{dbh}->selectrow_array('SELECT secret FROM api_keys');
    isnt( $key, $secrets[0], 'Koha keeps the key as a hash' );
};

subtest 'each thing that is made is a line of the action log, by whoever clicked' => sub {
    my $koha = bare_koha();
    press( $koha, choice_rules_PASSPORT => 'AD' );
    my $lines = $koha->{dbh}
        ->selectall_arrayref(q{SELECT user, module, action, info FROM action_logs ORDER BY action_id});
    is( scalar @{$lines}, @ALL, 'one each' );
    is_deeply(
        [ map { [ @{$_}[ 0 .. 2 ] ] } @{$lines} ],
        [ ( [ 51, 'PATRONPASSPORT', 'SETUP' ] ) x @ALL ],
        'by 51'
    );
    like(
        $lines->[-1][3],
        qr{circulation [ ] rules [ ] for [ ] PASSPORT [ ] from [ ] AD}xms,
        'what was chosen'
    );
};

subtest 'nobody gains by the page what Koha has not given them' => sub {
    my %may = (
        'plugins'                             => [qw( secret )],
        'parameters:manage_sysprefs'          => [ 'secret', grep {m{preference}xms} @ALL ],
        'parameters:manage_patron_categories' => [qw( secret category_PASSPORT )],
        'parameters:manage_circ_rules'        => [qw( secret )],
        'borrowers'                           => [qw( secret )],
        'permissions'                         => [qw( secret )],
    );
    foreach my $permission ( sort keys %may ) {
        my $koha = bare_koha($permission);
        my $page = page_of($koha);
        is_deeply( $page->find('input[name=step]')->map( sub { $_->{value} } )->to_array,
            $may{$permission}, "$permission: is offered" );
        like( $page->at('[data-step=user_new] strong')->text,
            qr{superlibrarian}xms, "$permission: who has to" );
        my $done = page_of( $koha, op => 'cud-setup', step => \@ALL, choice_rules_PASSPORT => 'AD' );
        is( $done->find('#passport_done [data-done]')->size,
            @{ $may{$permission} },
            "$permission: nothing else is made"
        );
        is( Koha::Patrons->find( { userid => 'passport' } ), undef, "$permission: no user" );
    }
};

subtest 'what is not ticked is not made, nor what was not chosen, nor what is no choice' => sub {
    my $koha = bare_koha();
    page_of( $koha, op => 'cud-setup', step => ['category_PASSPORT'] );
    is( Koha::Patrons->find( { userid => 'passport' } ), undef, 'no user' );
    ok( $koha->{dbh}->selectrow_array(q{SELECT 1 FROM categories WHERE categorycode = 'PASSPORT'}),
        'the category' );
    foreach my $choice ( undef, q{}, 'NONE', 'PASSPORT' ) {
        page_of( $koha, op => 'cud-setup', step => ['rules_PASSPORT'], choice_rules_PASSPORT => $choice );
        is( $koha->{dbh}
                ->selectrow_array(q{SELECT COUNT(*) FROM circulation_rules WHERE categorycode = 'PASSPORT'}),
            0, 'no rules of ' . ( $choice // 'nothing' )
        );
    }
    is( $koha->{dbh}->selectrow_array('SELECT COUNT(*) FROM action_logs'),
        1, 'and the log says nothing else' );
    ok( page_of( $koha, op => 'cud-setup' )->at('#passport_done'), 'and nothing ticked says so' );
};

subtest 'rights of somebody who is there are widened only by a line that names them' => sub {
    my $koha = bare_koha();
    add_staff( $koha, 'passport' );
    my $page = page_of($koha);
    is_deeply(
        [ grep {m{user}xms} @{ steps_of($page) } ],
        [qw( user_key_1 user_permissions_1 )],
        'two steps'
    );
    like(
        $page->at('[data-step=user_permissions_1]')->all_text,
        qr{passport [ ] [(]patron [ ] number [ ] 1[)]: [ ] borrowers}xms,
        'with the number'
    );

    press($koha);
    my $user = Koha::Patrons->find(1);
    is( $koha->{dbh}->selectrow_array('SELECT COUNT(*) FROM api_keys'), 0, 'none of them is ticked: no key' );
    is( $koha->{plugin}->settings->{service_user},                      q{}, 'nor a user of the service' );
    page_of( $koha, op => 'cud-setup', step => ['user_key_1'] );
    ok( !$user->has_permission( { borrowers => 'edit_borrowers' } ), 'the key alone gives no right' );
    page_of( $koha, op => 'cud-setup', step => ['user_permissions_1'] );
    ok( $user->has_permission( { borrowers => 'edit_borrowers', catalogue => 1 } ), 'the other line does' );

    $koha = bare_koha();
    add_staff( $koha, 'passport' );
    $Koha::Patron::PERMISSIONS{1} = { superlibrarian => 1 };
    is_deeply( [ grep {m{user}xms} @{ steps_of( page_of($koha) ) } ], [], 'no key for a superlibrarian' );
};

subtest 'a press is for whom the page named, whoever the service\'s user is by then' => sub {
    my $koha = bare_koha();
    add_staff( $koha, $_ ) foreach qw( service clerk );
    $koha->{plugin}->store_data( { service_user => 1 } );
    my $shown = steps_of( page_of($koha) );
    $koha->{plugin}->store_data( { service_user => 2 } );
    my $page = page_of( $koha, op => 'cud-setup', step => [ grep {m{user}xms} @{$shown} ] );
    ok( $page->at('#passport_done'),                                                   'the press' );
    ok( !Koha::Patrons->find($_)->has_permission( { borrowers => 'edit_borrowers' } ), "no right of $_" )
        foreach 1, 2;
    is( $koha->{dbh}->selectrow_array('SELECT COUNT(*) FROM api_keys'), 0, 'nor a key' );
};

subtest 'whoever has the login and can be a person is offered nothing, and the list says so' => sub {
    my %people = (
        'a reader'                 => [ 'AD', q{!} ],
        'a reader with a password' => [ 'AD', '$2a$08$hash' ],
        'staff with a password'    => [ 'S',  '$2a$08$hash' ],
    );
    foreach my $who ( sort keys %people ) {
        foreach my $has_key ( 0, 1 ) {
            my $koha = bare_koha();
            add_staff( $koha, 'passport' );
            $koha->{dbh}
                ->do( 'UPDATE borrowers SET categorycode = ?, password = ?', undef, @{ $people{$who} } );
            $koha->{dbh}->do( 'INSERT INTO api_keys (patron_id, client_id) VALUES (1, ?)', undef, 'theirs' )
                if $has_key;
            my $page = page_of($koha);
            is_deeply( [ grep {m{user}xms} @{ steps_of($page) } ], [], "$who: nothing" );
            like(
                $page->find('[data-check=user]')->map('all_text')->join(q{ }),
                qr{login [ ] passport [ ] is [ ] taken}xms,
                "$who: why"
            );
            my @stale = qw( user_new user_choose_1 user_key_1 user_permissions_1 );
            page_of( $koha, op => 'cud-setup', step => \@stale );
            ok( !Koha::Patrons->find(1)->has_permission( { borrowers => 'edit_borrowers' } ),
                "$who: no right" );
            is( $koha->{plugin}->settings->{service_user}, q{}, "$who: no user of the service" );
            is( $koha->{dbh}->selectrow_array('SELECT COUNT(*) FROM api_keys'), $has_key, "$who: no key" );
        }
    }

    my $koha = bare_koha();
    add_staff( $koha, 'passport' );
    $koha->{dbh}->do(q{UPDATE borrowers SET password = 'used'});
    $koha->{plugin}->store_data( { service_user => 1 } );
    my $page = page_of($koha);
    is_deeply(
        [ grep {m{user}xms} @{ steps_of($page) } ],
        [qw( user_key_1 user_permissions_1 )],
        'whom the configuration names is the service\'s'
    );
    unlike( $page->all_text, qr{login [ ] passport [ ] is [ ] taken}xms, 'and no login is taken' );
};

subtest 'rights that a user has stay, and a permission is not given twice' => sub {
    my $koha = bare_koha();
    add_staff( $koha, 'passport' );
    $koha->{dbh}->do( 'INSERT INTO api_keys (patron_id, client_id) VALUES (1, ?)', undef, 'theirs' );
    $koha->{dbh}->do('UPDATE borrowers SET flags = 8 WHERE borrowernumber = 1');
    $koha->{dbh}->do(q{INSERT INTO user_permissions VALUES (1, 4, 'edit_borrowers')});
    is_deeply(
        [ grep {m{user}xms} @{ steps_of( page_of($koha) ) } ],
        [qw( user_choose_1 user_permissions_1 )],
        'no new key'
    );
    page_of( $koha, op => 'cud-setup', step => [qw( user_choose_1 user_permissions_1 )] );
    my $user = Koha::Patrons->find(1);
    ok( $user->has_permission( { parameters => 1 } ), 'what was there is there' );
    is( $koha->{dbh}->selectrow_array(q{SELECT COUNT(*) FROM user_permissions WHERE code = 'edit_borrowers'}),
        1, 'once'
    );
    is( $koha->{dbh}->selectrow_array('SELECT COUNT(*) FROM api_keys'), 1, 'and the key is theirs' );
    is( $koha->{plugin}->settings->{service_user},                      1, 'the user of the service' );

    $koha->{plugin}->store_data( { service_user => 99 } );
    is_deeply( [ grep {m{user}xms} @{ steps_of( page_of($koha) ) } ],
        ['user_choose_1'], 'where the chosen one is gone, the one with its login is offered' );
};

subtest 'a step that fails leaves nothing of itself, and the others are made' => sub {
    my $koha = bare_koha();
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    no warnings 'redefine';
    local *Koha::ApiKey::store = sub { die "Koha failed\n" };
    my $page = press( $koha, choice_rules_PASSPORT => 'AD' );
    like(
        $page->at('#passport_done [data-done="0"]')->all_text,
        qr{Not [ ] made .* A [ ] user [ ] passport}xms,
        'it says so'
    );
    ok( !$page->at('#passport_once_client_id'), 'no key' );
    is( $koha->{dbh}->selectrow_array('SELECT COUNT(*) FROM api_keys'), 0,        'none at all' );
    is( $koha->{plugin}->settings->{service_user},                      q{},      'nor a user' );
    is( $page->find('#passport_done [data-done="1"]')->size,            @ALL - 1, 'the others' );
    like( "@warnings", qr{the [ ] set-up [ ] [(]user_new[)] [ ] failed}xms, 'the log' );
};

subtest 'what the service says it needs is made, and nothing that was assumed' => sub {
    my $koha  = bare_koha();
    my %needs = (
        mode               => 'copy',
        categories         => ['VISIT'],
        passport_attribute => 'ELSEWHERE',
        home_key_attribute => 'HOME_KEY'
    );
    my $status = {
        library    => { id => 'riverside', name => 'R' },
        checked_at => '2026-11-25T09:00:00.000Z',
        needs      => \%needs
    };
    my $receiver
        = Passport::TestReceiver->start( sub { return Passport::TestReceiver::_reply( 200, $status ) } );
    $koha->configure( receiver_url => $receiver->url );
    my $page = page_of($koha);
    is_deeply(
        [ grep {m{type|category}xms} @{ steps_of($page) } ],
        [qw( type_ELSEWHERE type_HOME_KEY category_VISIT )],
        'by its names'
    ) or diag( explain( steps_of($page) ) );
    press($koha);
    my $types = $koha->{dbh}->selectall_hashref( 'SELECT * FROM borrower_attribute_types', 'code' );
    is( $types->{HOME_KEY}{unique_id},  1, 'the home key is unique' );
    is( $types->{ELSEWHERE}{unique_id}, 0, 'the passport is not' );
    ok( !$koha->{dbh}->selectrow_array(q{SELECT 1 FROM categories WHERE categorycode = 'PASSPORT'}),
        'and no other' );
};

done_testing;

package Koha::Plugin::Org::PatronPassport::SetupPlan;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use C4::Log ();
use Koha::CirculationRule;
use Koha::CirculationRules;
use Koha::Database;
use Koha::Patron;
use Koha::Patron::Category;

use Koha::Plugin::Org::PatronPassport::ApiKeys   qw( make_key );
use Koha::Plugin::Org::PatronPassport::KohaFacts qw( may );
use Koha::Plugin::Org::PatronPassport::Problem   qw( report );
use Koha::Plugin::Org::PatronPassport::Setup     qw( home_key_type make_type );
use Koha::Plugin::Org::PatronPassport::Signature qw( new_secret );
use Koha::Plugin::Org::PatronPassport::User      qw( current_user may_see );

# Until the service says what it needs here. PT is a category of Koha's sample data, with patrons of its own.
my $CATEGORY = 'PASSPORT';

# No membership of a program ends.
my $NEVER_EXPIRES = '2099-12-31';

# Koha's page of a patron's API keys is for that patron and for superlibrarians (members/apikeys.pl).
my @SUPERLIBRARIAN = ('superlibrarian');
my @MAY_PERMIT     = qw( permissions staffaccess );

my $STAFF = '/cgi-bin/koha';

# By the finding of the set-up check: what makes what is missing, as steps, and Koha's page where somebody does it by hand. No other finding
# has a button: what is there and is not as it should be belongs to the library.
my %OF_FINDING = (
    settings_missing => [ \&_secret ],
    tables_missing   => [ \&_tables ],
    api_off          => [
        sub { return _preference('RESTOAuth2ClientCredentials') },
        "$STAFF/admin/preferences.pl?op=search&searchfield=RESTOAuth2ClientCredentials"
    ],
    attributes_off => [
        sub { return _preference('ExtendedPatronAttributes') },
        "$STAFF/admin/preferences.pl?op=search&searchfield=ExtendedPatronAttributes"
    ],
    user_none        => [ \&_user ],
    user_unset       => [ \&_user ],
    user_no_key      => [ \&_user ],
    user_lacks       => [ \&_user ],
    type_missing     => [ \&_type,     "$STAFF/admin/patron-attr-types.pl" ],
    type_not_unique  => [ undef,       "$STAFF/admin/patron-attr-types.pl" ],
    type_unique      => [ undef,       "$STAFF/admin/patron-attr-types.pl" ],
    type_editable    => [ undef,       "$STAFF/admin/patron-attr-types.pl" ],
    type_shown       => [ undef,       "$STAFF/admin/patron-attr-types.pl" ],
    type_mandatory   => [ undef,       "$STAFF/admin/patron-attr-types.pl" ],
    category_missing => [ \&_category, "$STAFF/admin/categories.pl" ],
    rules_missing    => [ \&_rules,    "$STAFF/admin/smart-rules.pl" ],
    branch_missing   => [ undef,       "$STAFF/admin/branches.pl" ],
);

our @EXPORT_OK = qw( assumed_needs carry_out setup_plan wait_for_others );

=head1 NAME

Koha::Plugin::Org::PatronPassport::SetupPlan - makes what the set-up check misses, at the button of the configuration page

=head1 DESCRIPTION

The plan is made from the findings of L<Koha::Plugin::Org::PatronPassport::SetupCheck>, so that it can't differ from them. A step only adds: what is
there stays as it is. Whoever clicks needs the permission that Koha's own page for it requires, so that nobody gains one by this page.

=head1 FUNCTIONS

=head2 assumed_needs

What the service will need here, before it is there to say it.

=cut

sub assumed_needs {
    return {
        categories => [$CATEGORY],
        passport   => 'PASSPORTED',
        home_key   => home_key_type( C4::Context->dbh ),
    };
}

=head2 setup_plan

    my @planned = setup_plan( $plugin, $seen, @checks );

One by one the findings, each with C<steps> and with C<at>, the address of Koha's page for it. A step is C<< { id => 'user_new', say => { key =>
'plan_user_new', ... }, lacks => [], choices => undef, number => undef, make => sub {...} } >>: C<say> is a sentence, C<lacks> what whoever is
logged in may not do and would have to, C<choices> what has to be chosen first, C<number> whom it is about, who is there already. Nothing is
changed here. C<$seen> is what the checks were made of.

=cut

sub setup_plan {
    my ( $plugin, $seen, @checks ) = @_;

    my $user = current_user();

    return map {
        my ( $steps, $at ) = @{ $OF_FINDING{ $_->{say}{key} } // [] };
        my @steps = $steps ? $steps->( $plugin, $seen, $_->{say} ) : ();
        foreach my $step (@steps) {
            $step->{lacks} = [ grep { !$user || !may( $user, $_ ) } @{ $step->{needs} } ];
        }
        +{ %{$_}, steps => \@steps, at => $at };
    } @checks;
}

=head2 carry_out

    my ( $done, $once ) = carry_out( \@planned, { user_new => 1, ... }, { rules_from => 'AD' } );

Makes the steps that were wanted by their ids, one after the other, each in whole or not at all: C<< { id => ..., say => {...}, ok => 1 } >>. What
is not in the plan, or not permitted, is not made. C<$once> is what nobody can ever see again: C<client_id>, C<client_secret>, C<webhook_secret>.
Each step that was made is a line of Koha's action log (module C<PATRONPASSPORT>, action C<SETUP>), without these.

=cut

sub carry_out {
    my ( $planned, $wanted, $chosen ) = @_;

    my ( @done, %once );
    foreach my $step ( map { @{ $_->{steps} } } @{$planned} ) {
        next if !$wanted->{ $step->{id} } || @{ $step->{lacks} };

        my $choice = $step->{choices} ? $chosen->{ $step->{id} } // q{} : undef;
        next if defined $choice && !grep { $_ eq $choice } @{ $step->{choices} };

        my $secrets;
        my $make = sub {
            $secrets = $step->{make}->($choice);
            my ( $number, $text ) = @{$step}{qw( number log )};
            C4::Log::logaction( 'PATRONPASSPORT', 'SETUP', $number,
                defined $choice ? "$text $choice" : $text );
        };
        my $is_done
            = eval { $step->{ends_transaction} ? $make->() : Koha::Database->new->schema->txn_do($make); 1 };
        report( "the set-up ($step->{id})", $@ ) if !$is_done;
        %once = ( %once, %{ $secrets // {} } )   if $is_done;
        push @done, { id => $step->{id}, say => $step->{say}, ok => $is_done ? 1 : 0 };
    }

    return ( \@done, \%once );
}

=head2 wait_for_others

    wait_for_others($plugin);

In a transaction: other web workers that are about to make a webhook secret, or to change a request to join, are done, or wait for the end of it.
What they wait for is the row that the button leaves.

=cut

sub wait_for_others {
    my ($plugin) = @_;

    return C4::Context->dbh->do(
        'UPDATE plugin_data SET plugin_value = plugin_value WHERE plugin_class = ? AND plugin_key = ?',
        undef, $plugin->{class}, 'service_user' );
}

sub _secret {
    my ($plugin) = @_;

    return if $plugin->settings->{secret_from} ne 'nowhere';

    return {
        id    => 'secret',
        needs => [],
        log   => 'Made the webhook secret of Patron Passport',
        say   => { key => 'plan_secret' },
        make  => sub {
            wait_for_others($plugin);

            # the service may have it already, or somebody have seen it
            die "there is one by now\n" if $plugin->settings->{secret_from} ne 'nowhere';

            my $secret = new_secret();
            $plugin->store_data( { secret => $secret } );
            return { webhook_secret => $secret };
        },
    };
}

sub _tables {
    my ( $plugin, undef, $say ) = @_;

    return {
        id    => 'tables',
        needs => [],
        log   => "Made tables of Patron Passport again: $say->{tables}",
        say   => { key => 'plan_tables', tables => $say->{tables} },
        make  => sub { $_->ensure foreach $plugin->scans, $plugin->copies; return {} },

        # as a new table does
        ends_transaction => 1,
    };
}

sub _preference {
    my ($name) = @_;

    return {
        id    => "preference_$name",
        needs => ['parameters: manage_sysprefs'],
        log   => "Enabled the system preference $name",
        say   => { key => 'plan_preference', name => $name },
        make  => sub { C4::Context->set_preference( $name, 1 ); return {} },
    };
}

sub _type {
    my ( undef, $seen, $say ) = @_;

    my $code = $say->{type};

    # the column of an older Koha holds the shorter one only
    my $longest = home_key_type( C4::Context->dbh );
    return if length $code > length 'PASSPORTED' && $longest ne 'PASSPORTED_ID';

    my $needs       = $seen->{service}{kind} eq 'known' ? $seen->{service}{status}{needs} : $seen->{assumed};
    my $is_home_key = $code eq ( $needs->{home_key} // q{} );

    return {
        id    => "type_$code",
        needs => ['parameters: manage_patron_attributes'],
        log   => "Made the patron attribute type $code",
        say   => { key => 'plan_type', type => $code },
        make  => sub { make_type( $code, $is_home_key ); return {} },
    };
}

sub _category {
    my ( undef, undef, $say ) = @_;

    my $code = $say->{category};

    return {
        id    => "category_$code",
        needs => ['parameters: manage_patron_categories'],
        log   => "Made the patron category $code",
        say   => { key => 'plan_category', category => $code },
        make  => sub {
            Koha::Patron::Category->new(
                {   categorycode    => $code,
                    description     => 'Visiting patron',
                    category_type   => 'A',
                    enrolmentperiod => 12,
                    enrolmentfee    => 0,
                }
            )->store;
            return {};
        },
    };
}

# What visitors may borrow is the library's to say: as those of another category, or by hand. As Koha::CirculationRule copies one (clone).
sub _rules {
    my ( undef, $seen, $say ) = @_;

    my $code = $say->{category};
    my @from = sort keys %{ $seen->{facts}{rules} };
    return if !@from;

    return {
        id      => "rules_$code",
        needs   => [ 'parameters: manage_circ_rules', 'parameters: manage_circ_rules_from_any_libraries' ],
        log     => "Copied the circulation rules for $code from",
        say     => { key => 'plan_rules', category => $code },
        choices => \@from,
        make    => sub {
            my ($from) = @_;
            my %has = map { _scope_of($_) => 1 }
                map { $_->unblessed } Koha::CirculationRules->search( { categorycode => $code } )->as_list;
            foreach my $rule ( map { $_->unblessed }
                Koha::CirculationRules->search( { categorycode => $from } )->as_list )
            {
                next if $has{ _scope_of($rule) };
                delete $rule->{id};
                Koha::CirculationRule->new( { %{$rule}, categorycode => $code } )->store;
            }
            return {};
        },
    };
}

sub _scope_of {
    my ($rule) = @_;

    return join qq{\0}, map { $_ // q{*} } @{$rule}{qw( branchcode itemtype rule_name )};
}

# Never a superlibrarian: whoever has the key would be one. By its id a step is for whom the page showed, whoever is the service's user by the
# time of the press.
sub _user {
    my ( $plugin, $seen ) = @_;

    my $facts = $seen->{facts};
    my ( $service, $lacking ) = @{$facts}{qw( service lacking )};
    return                                if defined $facts->{taken};
    return _new_user( $plugin, $lacking ) if !$service;
    return if $service->has_permission( { superlibrarian => 1 } ) || !may_see( $service->borrowernumber );

    my $number = $service->borrowernumber;
    my %who    = ( number => $number, name => $service->userid );
    my $choose = sub { $plugin->store_data( { service_user => $number } ); return {} };
    my @steps;
    push @steps,
        {
        id     => "user_choose_$number",
        needs  => [],
        number => $number,
        log    => 'Made this patron the user of Patron Passport',
        say    => { key => 'plan_user_choose', %who },
        make   => $choose,
        }
        if $facts->{has_key} && $facts->{user} ne 'known';
    push @steps,
        {
        id     => "user_key_$number",
        needs  => [@SUPERLIBRARIAN],
        number => $number,
        log    => 'Made an API key for this patron, and made it the user of Patron Passport',
        say    => { key => 'plan_user_key', %who },
        make   => sub { $choose->(); return _key_for($number) },
        }
        if !$facts->{has_key};
    push @steps,
        {
        id     => "user_permissions_$number",
        needs  => [@MAY_PERMIT],
        number => $number,
        log    => 'Gave this patron permissions: ' . join( q{; }, @{$lacking} ),
        say    => { key => 'plan_user_permissions', %who, permissions => join q{; }, @{$lacking} },
        make   => sub { _permit( $number, @{$lacking} ); return {} },
        }
        if @{$lacking};

    return @steps;
}

sub _new_user {
    my ( $plugin, $permissions ) = @_;

    my $dbh = C4::Context->dbh;
    my ($category)
        = $dbh->selectrow_array(
        q{SELECT categorycode FROM categories WHERE category_type = 'S' ORDER BY categorycode});
    my $branch = ( C4::Context->userenv // {} )->{branch};
    return if !defined $category || !defined $branch;

    my $login = $Koha::Plugin::Org::PatronPassport::KohaFacts::LOGIN;
    my %as    = ( userid => $login, categorycode => $category, branchcode => $branch );
    my %shown = (
        name        => $login,
        category    => $category,
        branch      => $branch,
        permissions => join q{; },
        @{$permissions}
    );

    return {
        id    => 'user_new',
        needs => [@SUPERLIBRARIAN],
        log => "Made the user $login of Patron Passport with an API key and permissions: $shown{permissions}",
        say => { key => 'plan_user_new', %shown },
        make => sub {
            my %row    = ( surname => 'Patron Passport', cardnumber => 'PASSPORT-SERVICE', %as );
            my $number = Koha::Patron->new( { %row, dateexpiry => $NEVER_EXPIRES } )->store->borrowernumber;
            _permit( $number, @{$permissions} );
            $plugin->store_data( { service_user => $number } );
            return _key_for($number);
        },
    };
}

sub _key_for {
    my ($number) = @_;

    my $key = make_key($number);

    return { client_id => $key->client_id, client_secret => $key->plain_text_secret };
}

# As Koha stores them (members/member-flags.pl): whole modules as bits of flags, others one by one. It only adds.
sub _permit {
    my ( $number, @permissions ) = @_;

    my $dbh = C4::Context->dbh;
    foreach my $permission (@permissions) {
        my ( $module, $code ) = split m{:[ ]}xms, $permission;
        if ( defined $code ) {
            $dbh->do(
                'INSERT INTO user_permissions (borrowernumber, module_bit, code)'
                    . ' SELECT ?, bit, ? FROM userflags WHERE flag = ?',
                undef, $number, $code, $module
            );
            next;
        }
        my ($bit) = $dbh->selectrow_array( 'SELECT bit FROM userflags WHERE flag = ?', undef, $module );
        $dbh->do( 'UPDATE borrowers SET flags = COALESCE(flags, 0) | ? WHERE borrowernumber = ?',
            undef, 2**$bit, $number );
    }

    return;
}

1;

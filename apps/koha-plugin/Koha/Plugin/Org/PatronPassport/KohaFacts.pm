package Koha::Plugin::Org::PatronPassport::KohaFacts;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Koha::Patron::Attribute::Types;
use Koha::Patrons;
use List::Util qw( any );

use Koha::Plugin::Org::PatronPassport::FirstScan qw( unknown_branch );

# The login that the set-up gives the user of the service (L<Koha::Plugin::Org::PatronPassport::SetupPlan>).
our $LOGIN = 'passport';

# Keys of other programs may be among them; each costs a look at a patron. The newest users come first: the service's was
# made for it.
my $MOST_USERS = 20;

our @EXPORT_OK = qw( attribute_types koha_facts may users_with_keys );

=head1 NAME

Koha::Plugin::Org::PatronPassport::KohaFacts - what this Koha has of what the service needs

=head1 FUNCTIONS

=head2 koha_facts

    my $facts = koha_facts($plugin);

C<preferences>; C<types>, those of L</attribute_types> by code; C<categories> and C<branches> by code; C<rules>, how many rules of circulation
each category has, under C<*> those of all; C<plack_workers>; C<missing_tables>, those of the plugin; C<unknown_branch>, the institution of a SIP
account that is no branch; C<user>: C<no_keys> (nobody has an active API key), C<unset> (the configuration names no user of the service),
C<no_key> (that user has none), or C<known>; C<service>: that user, or else whoever has the login that the set-up gives it, is in a category for
staff and has no password, undef where there is no such user; C<taken>: that login, where it is anybody else's; C<has_key>: the C<service> has
an active key; C<lacking>: what it, or a new one, may not do and the service has to.

=cut

sub koha_facts {
    my ($plugin) = @_;

    my $dbh      = C4::Context->dbh;
    my $branches = _codes( $dbh, 'SELECT branchcode FROM branches' );
    my $unknown  = unknown_branch($plugin);

    return {
        preferences => {
            map { $_ => C4::Context->preference($_) }
                qw( ExtendedPatronAttributes RESTOAuth2ClientCredentials )
        },
        types          => { map { $_->{code} => $_ } attribute_types() },
        categories     => _codes( $dbh, 'SELECT categorycode FROM categories' ),
        branches       => $branches,
        rules          => _rules($dbh),
        plack_workers  => C4::Context->config('plack_workers'),
        missing_tables => [ map { $_->table } grep { $_->is_missing } $plugin->copies, $plugin->scans ],
        unknown_branch => defined $unknown && !$branches->{$unknown} ? $unknown : undef,
        _user( $plugin->settings->{service_user} ),
    };
}

sub _user {
    my ($id) = @_;

    my $chosen  = length $id ? Koha::Patrons->find($id) : undef;
    my $named   = $chosen    ? undef                    : Koha::Patrons->find( { userid => $LOGIN } );
    my $is_ours = $named && _is_no_person( $named->borrowernumber );
    my $user    = $chosen // ( $is_ours ? $named : undef );
    my @users   = users_with_keys( $user ? $user->borrowernumber : undef );
    my $has_key = $user && any { $_->borrowernumber == $user->borrowernumber } @users;
    my $state   = !@users ? 'no_keys' : !length $id ? 'unset' : $chosen && $has_key ? 'known' : 'no_key';

    return (
        user    => $state,
        service => $user,
        taken   => $named && !$is_ours ? $LOGIN : undef,
        has_key => $has_key            ? 1      : 0,
        lacking => [ grep { !$user || !may( $user, $_ ) } _needed() ],
    );
}

# A login proves nothing: readers choose theirs, where a library lets them register themselves. With the password that Koha stores for
# none, nobody logs in (C4/Auth.pm, checkpw_hash).
sub _is_no_person {
    my ($number) = @_;

    my ($is_so) = C4::Context->dbh->selectrow_array(
        'SELECT COUNT(*) FROM borrowers b JOIN categories c ON c.categorycode = b.categorycode'
            . q{ WHERE b.borrowernumber = ? AND c.category_type = 'S' AND COALESCE(b.password, '!') IN ('!', '')},
        undef, $number
    );

    return $is_so;
}

# Without a number of checkouts that applies, Koha refuses all (C4/Circulation.pm, TooMany: NO_RULE_DEFINED).
sub _rules {
    my ($dbh) = @_;

    my $rows
        = $dbh->selectall_arrayref( q{SELECT COALESCE(categorycode, '*'), COUNT(*) FROM circulation_rules}
            . q{ WHERE rule_name = 'maxissueqty' GROUP BY COALESCE(categorycode, '*')} );

    return { map { $_->[0] => $_->[1] } @{$rows} };
}

=head2 users_with_keys

    my @users = users_with_keys($first);

The users who have an active API key, the one with the number C<$first> before the newest.

=cut

sub users_with_keys {
    my ($first) = @_;

    my $ids
        = C4::Context->dbh->selectcol_arrayref(
        'SELECT DISTINCT patron_id FROM api_keys WHERE active = 1 ORDER BY patron_id DESC');
    my @sorted = ( ( grep { $_ eq ( $first // q{} ) } @{$ids} ), grep { $_ ne ( $first // q{} ) } @{$ids} );

    return
        grep {defined} map { scalar Koha::Patrons->find($_) } grep {defined} @sorted[ 0 .. $MOST_USERS - 1 ];
}

=head2 attribute_types

    my @rows = attribute_types();

The rows of all patron attribute types, C<mandatory> only where Koha's API requires them: of those that belong to some libraries it requires
none.

=cut

sub attribute_types {
    my $limited
        = _codes( C4::Context->dbh, 'SELECT DISTINCT bat_code FROM borrower_attribute_types_branches' );
    my @rows = map { $_->unblessed } Koha::Patron::Attribute::Types->search->as_list;

    return map { +{ %{$_}, mandatory => $_->{mandatory} && !$limited->{ $_->{code} } } } @rows;
}

sub _codes {
    my ( $dbh, $query ) = @_;

    return { map { $_ => 1 } @{ $dbh->selectcol_arrayref($query) } };
}

# docs/koha-setup.md, As a lending library; before 26.05 only the whole module allows another card number.
sub _needed {
    my ( $major, $minor ) = Koha::version() =~ m{\A (\d+) [.] (\d+)}xms;
    my $has_list = $major > 24 || ( $major == 24 && $minor >= 11 );
    my $is_whole = $major < 26 || ( $major == 26 && $minor < 5 );

    return (
        'borrowers: edit_borrowers',
        $has_list ? 'borrowers: list_borrowers' : (),
        'borrowers: view_borrower_infos_from_any_libraries',
        'circulate: circulate_remaining_permissions',
        'catalogue',
        $is_whole ? 'borrowers' : (),
    );
}

=head2 may

    if ( may( $user, 'borrowers: edit_borrowers' ) ) { ... }

Whether a user has this permission, or a whole module's.

=cut

sub may {
    my ( $user, $permission ) = @_;

    my ( $module, $name ) = split m{:[ ]}xms, $permission;

    return $user->has_permission( { $module => $name // 1 } );
}

1;

package Koha::Plugin::Org::PatronPassport::KohaFacts;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Koha::Patron::Attribute::Types;
use Koha::Patrons;

use Koha::Plugin::Org::PatronPassport::FirstScan qw( unknown_branch );

# Keys of other programs may be among them; each costs a look at a patron. The newest users come first: the service's was
# made for it.
my $MOST_USERS = 20;

our @EXPORT_OK = qw( attribute_types koha_facts users_with_keys );

=head1 NAME

Koha::Plugin::Org::PatronPassport::KohaFacts - what this Koha has of what the service needs

=head1 FUNCTIONS

=head2 koha_facts

    my $facts = koha_facts($plugin);

C<preferences>; C<types>, those of L</attribute_types> by code; C<categories> and C<branches> by code; C<plack_workers>;
C<missing_tables>, those of the plugin; C<unknown_branch>, the institution of a SIP account that is no branch; C<user>: C<no_keys>
(nobody has an active API key), C<unset> (the configuration names no user of the service), C<no_key> (that user has none), or C<known>, and
then C<lacking>: what this user may not do and the service has to.

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
        plack_workers  => C4::Context->config('plack_workers'),
        missing_tables => [ map { $_->table } grep { $_->is_missing } $plugin->copies, $plugin->scans ],
        unknown_branch => defined $unknown && !$branches->{$unknown} ? $unknown : undef,
        _user( $plugin->settings->{service_user} ),
    };
}

sub _user {
    my ($id) = @_;

    my @users = users_with_keys($id);
    return ( user => 'no_keys' ) if !@users;
    return ( user => 'unset' )   if !length $id;

    my ($user) = grep { $_->borrowernumber == $id } @users;
    return ( user => 'no_key' ) if !$user;

    return ( user => 'known', lacking => [ grep { !_may( $user, $_ ) } _needed() ] );
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

# docs/koha-setup.md, As a lending library
sub _needed {
    my ( $major, $minor ) = Koha::version() =~ m{\A (\d+) [.] (\d+)}xms;
    my $has_list = $major > 24 || ( $major == 24 && $minor >= 11 );

    return (
        'borrowers: edit_borrowers',
        $has_list ? 'borrowers: list_borrowers' : (),
        'borrowers: view_borrower_infos_from_any_libraries',
        'circulate: circulate_remaining_permissions', 'catalogue',
    );
}

sub _may {
    my ( $user, $permission ) = @_;

    my ( $module, $name ) = split m{:[ ]}xms, $permission;

    return $user->has_permission( { $module => $name // 1 } );
}

1;

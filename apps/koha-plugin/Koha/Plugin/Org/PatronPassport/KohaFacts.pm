package Koha::Plugin::Org::PatronPassport::KohaFacts;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Koha::Patron::Attribute::Types;
use Koha::Patrons;

use Koha::Plugin::Org::PatronPassport::About qw( types_with_libraries );

# Keys of other programs may be among them; each costs a look at a patron. The newest users come first: the service's was
# made for it.
my $MOST_USERS = 20;

our @EXPORT_OK = qw( koha_facts );

=head1 NAME

Koha::Plugin::Org::PatronPassport::KohaFacts - what this Koha has of what the service needs

=head1 FUNCTIONS

=head2 koha_facts

    my $facts = koha_facts();

C<preferences>; C<types>, the rows of all patron attribute types by code, C<mandatory> only where Koha's API requires them;
C<categories> and C<branches> by code; C<plack_workers>;
C<lacking>: what the user with an active API key who comes nearest to it may not do and the service has to (undef: nobody has an active
key). Which key is the service's, Koha does not know; who the users are is not said.

=cut

sub koha_facts {
    my $dbh = C4::Context->dbh;

    return {
        preferences => {
            map { $_ => C4::Context->preference($_) }
                qw( ExtendedPatronAttributes RESTOAuth2ClientCredentials )
        },
        types         => _types(),
        categories    => _codes( $dbh, 'SELECT categorycode FROM categories' ),
        branches      => _codes( $dbh, 'SELECT branchcode FROM branches' ),
        plack_workers => C4::Context->config('plack_workers'),
        lacking       => _lacking($dbh),
    };
}

sub _types {
    my $limited = types_with_libraries();
    my @rows    = map { $_->unblessed } Koha::Patron::Attribute::Types->search->as_list;

    return { map { $_->{code} => { %{$_}, mandatory => $_->{mandatory} && !$limited->{ $_->{code} } } }
            @rows };
}

sub _codes {
    my ( $dbh, $query ) = @_;

    return { map { $_ => 1 } @{ $dbh->selectcol_arrayref($query) } };
}

sub _lacking {
    my ($dbh) = @_;

    my $ids
        = $dbh->selectcol_arrayref(
        'SELECT DISTINCT patron_id FROM api_keys WHERE active = 1 ORDER BY patron_id DESC');
    my $best;
    foreach my $id ( grep {defined} @{$ids}[ 0 .. $MOST_USERS - 1 ] ) {
        my $user    = Koha::Patrons->find($id) or next;
        my @lacking = grep { !$user->has_permission( $_->{needed} ) } _needed();
        $best = [ map { $_->{name} } @lacking ] if !$best || @lacking < @{$best};
    }

    return $best;
}

# docs/koha-setup.md, As a lending library
sub _needed {
    my ( $major, $minor ) = Koha::version() =~ m{\A (\d+) [.] (\d+)}xms;
    my @list = $major > 24 || ( $major == 24 && $minor >= 11 ) ? ('list_borrowers') : ();

    return (
        (   map { _permission( borrowers => $_ ) } 'edit_borrowers', @list,
            'view_borrower_infos_from_any_libraries'
        ),
        _permission( circulate => 'circulate_remaining_permissions' ),
        { name => 'catalogue', needed => { catalogue => 1 } },
    );
}

sub _permission {
    my ( $module, $name ) = @_;

    return { name => "$module: $name", needed => { $module => $name } };
}

1;

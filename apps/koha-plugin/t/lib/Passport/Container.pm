package Passport::Container;

# One Koha of koha-testing-docker, for deploy/koha-testing/set-up.pl: what a program finds there that is started with
# PERL5OPT=-MPassport::Container. All that outlasts the program is in the folder that PASSPORT_CONTAINER names.

use Modern::Perl;

use C4::Context;
use Koha::CirculationRules;
use Koha::Patron;
use Koha::Patrons;
use Koha::Plugins;
use Mojo::File qw( path );
use Passport::TestDatabase;

my $folder = path( $ENV{PASSPORT_CONTAINER} // die "PASSPORT_CONTAINER is not set\n" );
my $is_new = !-e $folder->child('koha.db');

%C4::Context::CONFIG = (
    enable_plugins => 1,
    pluginsdir     => $folder->child('plugins')->make_path->to_string,
    intranetdir    => $folder->child('koha')->to_string,
);
push @INC, $C4::Context::CONFIG{pluginsdir};
my $dbh = $C4::Context::DBH = Passport::TestDatabase::handle( $folder->child('koha.db')->to_string );
_populate() if $is_new;

# Sample data and superlibrarian of koha-misc4dev, as far as they matter (populate_db.pl, create_superlibrarian.pl).
sub _populate {
    Passport::TestDatabase::create_tables( $dbh, 64 );
    $dbh->do($_)
        foreach (
        'ALTER TABLE borrowers DROP COLUMN branchcode',
        'ALTER TABLE borrowers DROP COLUMN categorycode',
        'ALTER TABLE borrowers ADD COLUMN branchcode VARCHAR(10) REFERENCES branches (branchcode)',
        'ALTER TABLE borrowers ADD COLUMN categorycode VARCHAR(10) REFERENCES categories (categorycode)',
        'CREATE TABLE systempreferences (variable VARCHAR(50) PRIMARY KEY, value TEXT)',
        q{INSERT INTO branches VALUES ('CPL', 'Centerville'), ('FPL', 'Fairview')},
        q{INSERT INTO categories (categorycode, description, category_type) VALUES ('PT', 'Patron', 'A'), ('S', 'Staff', 'S')},
        q{DELETE FROM permissions WHERE code = 'list_borrowers'},
        q{INSERT INTO permissions VALUES (9, 'edit_catalogue'), (10, 'remaining_permissions')},
        q{INSERT INTO borrowers (surname, userid, cardnumber, branchcode, categorycode, flags) VALUES ('koha', 'koha', '42', 'CPL', 'S', 1)},
        );
    $folder->child('koha/misc/devel')->make_path->child('install_plugins.pl')
        ->spew(q{print "All plugins successfully re-initialised\n" if Koha::Plugins->new->InstallPlugins});

    return;
}

# Adds a row of these columns to a table.
sub _insert {
    my ( $table, $row ) = @_;

    my @columns = sort keys %{$row};
    $dbh->do(
        sprintf(
            'INSERT INTO %s (%s) VALUES (%s)',
            $table, join( q{,}, @columns ),
            join q{,}, (q{?}) x @columns
        ),
        undef,
        @{$row}{@columns}
    );

    return $dbh->last_insert_id( undef, undef, $table, undef );
}

{
    no warnings qw( once redefine );

    *C4::Context::set_preference = sub {
        my ( undef, $name, $value ) = @_;
        return $dbh->do( 'REPLACE INTO systempreferences VALUES (?, ?)', undef, $name, $value );
    };

    *Koha::Patron::store = sub {
        my ($self) = @_;
        $self->{borrowernumber} = _insert( 'borrowers', $self );
        return $self;
    };
    *Koha::Patrons::find = sub {
        my ( undef,   $wanted ) = @_;
        my ( $column, $value )  = ref $wanted ? %{$wanted} : ( borrowernumber => $wanted );
        my $row = $dbh->selectrow_hashref( "SELECT * FROM borrowers WHERE $column = ?", undef, $value );
        return $row ? Koha::Patron->new($row) : undef;
    };

    # Replaces the rules of these names; one that has to have a scope and has none dies (set_rule).
    *Koha::CirculationRules::set_rules = sub {
        my ( undef, $params ) = @_;
        my %scope = map { $_ => $params->{$_} } qw( branchcode categorycode itemtype );
        exists $params->{$_} or die "set_rule needs '$_'\n" foreach keys %scope;
        foreach my $name ( keys %{ $params->{rules} } ) {
            $dbh->do( 'DELETE FROM circulation_rules WHERE rule_name = ? AND categorycode = ?',
                undef, $name, $scope{categorycode} );
            _insert( 'circulation_rules',
                { %scope, rule_name => $name, rule_value => $params->{rules}{$name} } );
        }
        return;
    };
}

1;

#!/usr/bin/perl

# Plays Koha's plugins/run.pl with this plugin's own code, for the stand-in of a Koha (packages/koha-double): one request comes in
# as JSON on standard input, and the page goes out as JSON, with the plugin's data as they are afterwards and with what the page has made:
#
#   {"method": "GET", "run": "tool", "form": "class=...&method=tool", "language": "en", "csrf_token": "...",
#    "parts": {"header.inc": "<header>...", ...}, "data": {"receiver_url": "...", ...},
#    "koha": {"version": "24.11.05.000", "code_length": 64, "branch": "MAIN", "preferences": {...}, "plack_workers": 4,
#             "types": [{"code": "PASSPORTED", "libraries": [], ...}], "categories": [{"code": "PT", "type": "A"}], "branches": ["MAIN"],
#             "rules": [{"branchcode": null, "categorycode": "PT", "itemtype": null, "rule_name": "maxissueqty", "rule_value": "5"}],
#             "user": 7, "users": [{"id": 51, "userid": "passport", "cardnumber": "5", "keys": ["2f0c..."], "permissions": ["borrowers:1"]}],
#             "others": [[7, "21234000000017"]]}}
#
#   {"html": "...", "data": {...}, "made": {"preferences": {...}, "types": [...], "categories": [...], "rules": [...],
#    "users": [{"id": 52, "cardnumber": "...", "userid": "...", ..., "permissions": [...], "keys": [{"client_id": "...", "secret": "..."}],
#     "active": ["..."], "granted": ["..."]}]}}
#
# Needs libdbd-sqlite3-perl and what Koha brings. Nothing is kept from one request to the next.

use Modern::Perl;

use FindBin;
BEGIN { $FindBin::Bin = "$FindBin::RealBin/.." }
use lib "$FindBin::RealBin/../lib", "$FindBin::RealBin/../..";

use CGI        qw( -utf8 );
use Mojo::JSON qw( decode_json encode_json );

use Koha::Plugin::Org::PatronPassport::Copies;
use Koha::Plugin::Org::PatronPassport::Scans;
use Passport::TestKoha;

my %MAY_RUN = map { $_ => 1 } qw( configure tool );

my $request = decode_json( do { local $/ = undef; <STDIN> } );
my $facts   = $request->{koha};
die "no such page\n" if !$MAY_RUN{ $request->{run} };

my $koha = Passport::TestKoha->new_without_plugin( code_length => $facts->{code_length} );
%C4::Context::CONFIG = ( enable_plugins => 1, plack_workers => $facts->{plack_workers}, database => 'koha' );
%C4::Context::PREFERENCE = %{ $facts->{preferences} };
$C4::Context::USERENV    = { branch => $facts->{branch}, number => $facts->{user} };
$Koha::Token::TOKEN      = $request->{csrf_token};
$Passport::Page::PARTS   = $request->{parts};
{
    no warnings 'redefine';
    *Koha::version = sub { return $facts->{version} };
}

fill( $koha->{dbh} );
my $before = state_of( $koha->{dbh} );
my $plugin = $Passport::TestKoha::CLASS->new( { enable_plugins => 1 } );

$ENV{REQUEST_METHOD} = $request->{method};
$ENV{HTTP_COOKIE}    = "CGISESSID=session; KohaOpacLanguage=$request->{language}";
$plugin->{cgi}       = CGI->new( $request->{form} );
$ENV{REQUEST_METHOD} = $request->{method};
my $run = $request->{run};
$plugin->$run;

my $data = $koha->{dbh}->selectall_arrayref('SELECT plugin_key, plugin_value FROM plugin_data');
print encode_json(
    {   html => $plugin->{shown},
        data => { map { $_->[0] => $_->[1] } grep { $_->[0] !~ m{\A __}xms } @{$data} },
        made => made( $before, state_of( $koha->{dbh} ) ),
    }
);

# What the page can make, each by a key.
sub state_of {
    my ($dbh) = @_;

    my %rows = (
        types      => 'SELECT * FROM borrower_attribute_types',
        categories => 'SELECT * FROM categories',
        rules => 'SELECT branchcode, categorycode, itemtype, rule_name, rule_value FROM circulation_rules',
        users =>
            'SELECT borrowernumber AS id, cardnumber, userid, surname, branchcode, categorycode, flags FROM borrowers',
    );
    my %state = ( preferences => {%C4::Context::PREFERENCE} );
    foreach my $name ( sort keys %rows ) {
        my @rows = @{ $dbh->selectall_arrayref( $rows{$name}, { Slice => {} } ) };
        if ( $name eq 'users' ) {
            foreach my $user (@rows) {
                $user->{permissions} = [ sort { $a cmp $b }
                        Koha::Patron->new( { borrowernumber => $user->{id} } )->_stored_permissions ];
                $user->{keys} = [ grep { $_->{patron_id} == $user->{id} } @Koha::ApiKey::MADE ];
                my $ids = 'SELECT client_id FROM api_keys WHERE patron_id = ?';
                $user->{active} = $dbh->selectcol_arrayref( "$ids AND active = 1 ORDER BY client_id",
                    undef, $user->{id} );
                $user->{granted} = $dbh->selectcol_arrayref(
                    "SELECT client_id FROM oauth_access_tokens WHERE client_id IN ($ids) ORDER BY client_id",
                    undef, $user->{id}
                );
            }
        }
        $state{$name} = {
            map {
                encode_json( [ map { $_ // q{} } @{$_}{ sort keys %{$_} } ] ) => $_
            } @rows
        };
    }

    return \%state;
}

sub made {
    my ( $old, $new ) = @_;

    my %made = map {
        my $name = $_;
        $name => [ map { $new->{$name}{$_} } grep { !$old->{$name}{$_} } sort keys %{ $new->{$name} } ]
    } qw( types categories rules users );
    my ( $was, $is ) = map { $_->{preferences} } $old, $new;
    $made{preferences}
        = { map { $_ => $is->{$_} } grep { ( $was->{$_} // q{} ) ne ( $is->{$_} // q{} ) } keys %{$is} };

    return \%made;
}

# A Koha whose plugin is installed, with its data and all that the stand-in has.
sub fill {
    my ($dbh) = @_;

    my %data = (
        __INSTALLED__         => 1,
        __ENABLED__           => 1,
        __INSTALLED_VERSION__ => '99',
        __SET_UP_BY__         => $Koha::Plugin::Org::PatronPassport::Setup::VERSION,
        %{ $request->{data} }
    );
    my $own = 'Koha::Plugin::Org::PatronPassport';
    "${own}::Scans"->new( { dbh => $dbh, table => 'koha_plugin_org_patronpassport_scans' } )->ensure;
    "${own}::Copies"->new( { dbh => $dbh, table => 'koha_plugin_org_patronpassport_copies' } )->ensure;
    $dbh->do( 'INSERT INTO plugin_data VALUES (?, ?, ?)', undef, $Passport::TestKoha::CLASS, $_, $data{$_} )
        foreach keys %data;
    $dbh->do( 'INSERT INTO categories (categorycode, category_type) VALUES (?, ?)',
        undef, @{$_}{qw( code type )} )
        foreach @{ $facts->{categories} };
    my @scope = qw( branchcode categorycode itemtype rule_name rule_value );
    $dbh->do( 'INSERT INTO circulation_rules (' . join( q{, }, @scope ) . ') VALUES (?, ?, ?, ?, ?)',
        undef, @{$_}{@scope} )
        foreach @{ $facts->{rules} };
    $dbh->do( 'INSERT INTO branches (branchcode) VALUES (?)', undef, $_ ) foreach @{ $facts->{branches} };

    my @flags = qw( repeatable unique_id mandatory opac_display opac_editable staff_searchable );
    foreach my $type ( @{ $facts->{types} } ) {
        my $columns = join q{, }, 'code', 'category_code', @flags;
        my $blanks  = join q{, }, (q{?}) x ( 2 + @flags );
        $dbh->do(
            "INSERT INTO borrower_attribute_types ($columns) VALUES ($blanks)",
            undef,
            @{$type}{qw( code category_id )},
            map { $type->{$_} ? 1 : 0 } @flags
        );
        $dbh->do( 'INSERT INTO borrower_attribute_types_branches VALUES (?, ?)', undef, $type->{code}, $_ )
            foreach @{ $type->{libraries} };
    }

    $dbh->do( 'INSERT INTO borrowers (borrowernumber, cardnumber) VALUES (?, ?)', undef, @{$_} )
        foreach @{ $facts->{others} };
    foreach my $user ( @{ $facts->{users} } ) {
        my $id = $user->{id};
        $dbh->do(
            'INSERT INTO borrowers (borrowernumber, cardnumber, userid, categorycode, password) VALUES (?, ?, ?, ?, ?)',
            undef, $id, @{$user}{qw( cardnumber userid category password )}
        );
        foreach my $key ( @{ $user->{keys} } ) {
            $dbh->do( 'INSERT INTO api_keys (patron_id, client_id, description) VALUES (?, ?, ?)',
                undef, $id, @{$key}{qw( client_id description )} );
            $dbh->do( 'INSERT INTO oauth_access_tokens VALUES (?, ?, 0)',
                undef, map {"$_$key->{client_id}"} 'token of ', q{} )
                if $key->{is_granted};
        }
        $Koha::Patron::PERMISSIONS{$id} = { map { s{:1\z}{}xmsr => 1 } @{ $user->{permissions} } };
    }

    return;
}

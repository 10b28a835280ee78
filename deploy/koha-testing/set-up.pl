#!/usr/bin/perl

# Does docs/koha-setup.md in one Koha of koha-testing-docker, as the user of its instance: set-up.pl PLUGIN < FACTS > KEY. Safe to repeat.
#
# PLUGIN the folder of the plugin's source, with its package.pl
# FACTS  {"library", "receiver_url", "secret", "client_id"}; client_id: of the key that the service has, or null
# KEY    {"client_id", "client_secret"}, or {} where that key is still good: Koha shows a secret once
#
# Which file of Koha shows each class and method: apps/koha-plugin/koha.md.

use Modern::Perl;

use File::Basename        qw( dirname );
use File::Path            qw( make_path );
use File::Temp            ();
use IO::Uncompress::Unzip qw( $UnzipError );
use JSON::PP              ();

use C4::Context;
use Koha;
use Koha::ApiKey;
use Koha::ApiKeys;
use Koha::CirculationRules;
use Koha::Patron;
use Koha::Patron::Categories;
use Koha::Patron::Category;
use Koha::Patrons;

# Of visitors (not PT: that is a category of Koha's sample data, with patrons of its own), and the mark of a Koha for rehearsals.
my %CATEGORIES = ( PASSPORT => 'Visiting patron', REHEARSAL => 'Made by a rehearsal' );
my $USERID     = 'passport';

# Of docs/koha-setup.md, the optional ones included, and last those of a rehearsal: a record with items, and debts. What this release does
# not have yet is left out.
my @PERMISSIONS = qw( edit_borrowers list_borrowers view_borrower_infos_from_any_libraries delete_borrowers
    circulate_remaining_permissions manage_patron_categories edit_catalogue remaining_permissions );

# Bits of borrowers.flags (installer/data/mysql/mandatory/userflags.sql)
my %FLAG = ( catalogue => 1 << 2, borrowers => 1 << 4 );

my $source = shift // die "set-up.pl PLUGIN\n";
my $facts  = JSON::PP::decode_json( do { local $/; <STDIN> } );
my $dbh    = C4::Context->dbh;

C4::Context->set_preference( 'RESTOAuth2ClientCredentials', 1 );
C4::Context->set_preference( 'ExtendedPatronAttributes',    1 );
make_category($_) foreach sort keys %CATEGORIES;
my $user = make_user();
install_plugin();
configure_plugin();
print JSON::PP->new->canonical->encode( make_key() ), "\n";

sub make_category {
    my ($code) = @_;

    Koha::Patron::Category->new(
        {   categorycode    => $code,
            description     => $CATEGORIES{$code},
            category_type   => 'A',
            enrolmentperiod => 12,
            enrolmentfee    => 0,
        }
        )->store
        if !Koha::Patron::Categories->find($code);

    Koha::CirculationRules->set_rules(
        {   branchcode   => undef,
            categorycode => $code,
            itemtype     => undef,
            rules => { maxissueqty => 20, issuelength => 21, lengthunit => 'days', renewalsallowed => 0 },
        }
    );

    return;
}

sub make_user {
    my ($branch) = $dbh->selectrow_array('SELECT branchcode FROM branches ORDER BY branchcode');
    my ($category)
        = $dbh->selectrow_array(
        q{SELECT categorycode FROM categories WHERE category_type = 'S' ORDER BY categorycode});
    my $patron = Koha::Patrons->find( { userid => $USERID } ) // Koha::Patron->new(
        {   surname      => 'Patron Passport',
            cardnumber   => 'PASSPORT-SERVICE',
            userid       => $USERID,
            branchcode   => $branch,
            categorycode => $category,
        }
    )->store;

    my ( $major, $minor ) = Koha::version() =~ m{\A (\d+) [.] (\d+)}xms;
    my $is_whole = $major < 26 || ( $major == 26 && $minor < 5 );
    $dbh->do(
        'UPDATE borrowers SET flags = ? WHERE borrowernumber = ?', undef,
        $FLAG{catalogue} | ( $is_whole ? $FLAG{borrowers} : 0 ),   $patron->borrowernumber
    );
    $dbh->do( 'DELETE FROM user_permissions WHERE borrowernumber = ?', undef, $patron->borrowernumber );
    $dbh->do(
        'INSERT INTO user_permissions (borrowernumber, module_bit, code)'
            . ' SELECT ?, module_bit, code FROM permissions WHERE code IN ('
            . join( ', ', map {'?'} @PERMISSIONS ) . ')',
        undef, $patron->borrowernumber, @PERMISSIONS
    );

    return $patron;
}

# As the administrator of a server with plugins_restricted does it: unpacked over what is there, then install_plugins.pl.
sub install_plugin {
    my ($folder) = map { ref $_ ? @{$_} : $_ } C4::Context->config('pluginsdir');
    my $place = File::Temp->newdir;
    chomp( my $kpz = qx{'$^X' '$source/package.pl' '$place'} );
    die "The plugin cannot be packed\n" if $?;

    my $zip = IO::Uncompress::Unzip->new($kpz) or die "$kpz: $UnzipError\n";
    do {
        my $header = $zip->getHeaderInfo;
        my $file   = "$folder/$header->{Name}";
        make_path( dirname($file) );
        open my $out, '>:raw', $file or die "$file: $!\n";
        print {$out} do { local $/; <$zip> };
        close $out or die "$file: $!\n";
        utime $header->{Time}, $header->{Time}, $file;
    } while $zip->nextStream > 0;

    # what it prints belongs to the log: standard output is the answer's
    my $program = C4::Context->config('intranetdir') . '/misc/devel/install_plugins.pl';
    system("'$^X' '$program' 1>&2") == 0 or die "$program failed\n";

    return;
}

# What the configuration page saves, checked as it checks it.
sub configure_plugin {
    require Koha::Plugins;    # adds pluginsdir to where modules are looked for
    require Koha::Plugin::Org::PatronPassport;
    my $plugin = Koha::Plugin::Org::PatronPassport->new( { enable_plugins => 1 } );
    my ( $values, $faults ) = Koha::Plugin::Org::PatronPassport::Settings->checked(
        {   ( map { $_ => $facts->{$_} } qw( library receiver_url secret ) ),
            service_user    => $user->borrowernumber,
            card_patterns   => q{},
            staff_wait      => 1500,
            self_check_wait => 3000,
            sip             => 'term1',
            map { $_ => 1 } qw( staff self_check copies ),
        }
    );
    die 'The plugin refuses its settings: ' . join( ', ', sort keys %{$faults} ) . "\n" if %{$faults};
    $plugin->store_data($values);
    $plugin->enable;

    return;
}

sub make_key {
    my %mine = ( patron_id => $user->borrowernumber, active => 1 );
    return {}
        if defined $facts->{client_id}
        && Koha::ApiKeys->search( { %mine, client_id => $facts->{client_id} } )->count;

    $_->delete foreach Koha::ApiKeys->search( \%mine )->as_list;
    my $key = Koha::ApiKey->new( { patron_id => $user->borrowernumber, description => 'Patron Passport' } )
        ->store;

    return { client_id => $key->client_id, client_secret => $key->plain_text_secret };
}

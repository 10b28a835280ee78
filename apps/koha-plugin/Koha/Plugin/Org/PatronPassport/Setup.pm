package Koha::Plugin::Org::PatronPassport::Setup;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha::Patron::Attribute::Type;
use Koha::Patron::Attribute::Types;

use Koha::Plugin::Org::PatronPassport::CopyTable    qw( drop_copy_table ensure_copy_table );
use Koha::Plugin::Org::PatronPassport::Restrictions qw( ensure_restriction_types );
use Koha::Plugin::Org::PatronPassport::ScanTable    qw( drop_table ensure_table );

# Before 24.11 a code has at most 10 characters.
my $PASSPORT       = 'PASSPORTED';
my $HOME_KEY       = 'PASSPORTED_ID';
my $SHORT_HOME_KEY = 'PASSPORTID';

our @EXPORT_OK = qw( ensure home_key_type undo );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Setup - the tables, the attribute types and the restriction types

=head1 FUNCTIONS

=head2 ensure

    ensure($plugin);

Creates what is missing and touches nothing that is there: a type can be older than this plugin, and belongs to the
library. Safe to repeat, and for several web workers at once: all of them upgrade when they first load a new version.

=cut

sub ensure {
    my ($plugin) = @_;

    ensure_table( C4::Context->dbh, $plugin->get_qualified_table_name('scans') );
    ensure_copy_table( C4::Context->dbh, $plugin->get_qualified_table_name('copies') );

    _ensure_type( $PASSPORT, 'Patron Passport: home library', { display_checkout => 1 } );
    _ensure_type(
        home_key_type( C4::Context->dbh ),
        'Patron Passport: key at the home library',
        { unique_id => 1 }
    );
    ensure_restriction_types();

    return;
}

=head2 undo

Drops the plugin's own tables. The types of attributes and restrictions stay, and with them what they say of patrons.

=cut

sub undo {
    my ($plugin) = @_;

    drop_table( C4::Context->dbh, $plugin->get_qualified_table_name('scans') );
    drop_copy_table( C4::Context->dbh, $plugin->get_qualified_table_name('copies') );

    return;
}

=head2 home_key_type

The code of the type that holds the home key, the long one where this Koha's column can hold it.

=cut

sub home_key_type {
    my ($dbh) = @_;

    my $column = $dbh->column_info( undef, undef, 'borrower_attribute_types', 'code' );
    my $size   = $column ? ( $column->fetchrow_hashref // {} )->{COLUMN_SIZE} : undef;

    return defined $size && $size < length $HOME_KEY ? $SHORT_HOME_KEY : $HOME_KEY;
}

sub _ensure_type {
    my ( $code, $description, $more ) = @_;

    return if Koha::Patron::Attribute::Types->find($code);

    my $type = Koha::Patron::Attribute::Type->new(
        {   code             => $code,
            description      => $description,
            repeatable       => 0,
            unique_id        => 0,
            mandatory        => 0,
            opac_display     => 0,
            opac_editable    => 0,
            staff_searchable => 0,
            display_checkout => 0,
            %{$more},
        }
    );
    return if eval { $type->store; 1 };

    # another web worker may have been quicker
    my $error = $@;
    die $error if !Koha::Patron::Attribute::Types->find($code);

    return;
}

1;

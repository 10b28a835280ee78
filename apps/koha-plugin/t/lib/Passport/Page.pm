package Passport::Page;

# A page as Koha's templates make it, with stand-ins for the parts that Koha puts around a plugin's own, and with the
# variables that every page of Koha has: of C4::Templates (new, gettemplate, output) and of C4::Auth
# (get_template_and_user, for the staff interface). Whatever a plugin names alike it finds taken.

use Modern::Perl;

use File::Temp;
use Template;

# Compiled templates are kept, as in a Koha with `template_cache_dir`: reading them is half of the time of a page.
my $compiled = $ENV{PASSPORT_TEMPLATE_CACHE} || File::Temp->newdir;

my %KOHAS = (
    ( map { $_ => 'value' } qw( test bidi languages_loop one_language_enabled ) ),
    ( map { $_ => '/intranet-tmpl' } qw( themelang interface theme ) ),
    lang => 'en',
    (   map { $_ => 1 }
            qw(
            advancedMARCEditor AllowMultipleCovers AmazonCoverImages auth_forwarded_hash can_see_cataloguing_module
            CAN_user_circulate CAN_user_borrowers CAN_user_plugins_configure canreservefromotherbranches csrf_token dateformat EasyAnalyticalRecords
            EnableBorrowerFiles EnableSearchHistory EnhancedMessagingPreferences FRBRizeEditions GoogleJackets hide_marc
            IndependentBranches IntranetFavicon IntranetNav IntranetReadingHistoryHolds IntranetUserCSS IntranetUserJS
            intranetcolorstylesheet intranetreadinghistory intranetstylesheet item_level_itypes KohaAdminEmailAddress
            LibraryName LocalCoverImages logged_in_user loggedinusername loggedinusernumber marcflavour
            minPasswordLength noItemTypeImages OPACBaseURL opaccolorstylesheet opaclayoutstylesheet OPACLocalCoverImages
            OpenLibraryCovers PatronAutoComplete patronimages pending_checkout_notes plugins_enabled sessionID
            singleBranchMode StaffLoginRestrictLibraryByIP StaffSerialIssueDisplayCount TagsEnabled UseCourseReserves
            useDischarge virtualshelves
            )
    ),
);

my %PART = (
    'doc-head-open.inc'      => '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
    'doc-head-close.inc'     => q{},
    'header.inc'             => '<header>[% content %]</header>',
    'prefs-admin-search.inc' => '<form role="search"></form>',
    'intranet-bottom.inc'    => '</body></html>',
);

# What a stand-in puts around a page instead: text, never templates.
our $PARTS = {};

# What a plugin put out last, for who has run it without having it.
our $LAST;

sub last_page {
    return $LAST;
}

sub new {
    my ( $class, $plugin, $file ) = @_;

    return bless {
        file   => $plugin->bundle_path . "/$file",
        values => {
            %KOHAS,
            CLASS       => $plugin->{class},
            METHOD      => $file =~ s{[.]tt \z}{}xmsr,
            PLUGIN_PATH => '/plugin/Koha/Plugin/Org/PatronPassport',
            PLUGIN_DIR  => $plugin->bundle_path,
            LANG        => 'en',
        },
    }, $class;
}

# An empty list or hash is none, as in Koha.
sub param {
    my ( $self, %values ) = @_;

    foreach my $name ( keys %values ) {
        my $value    = $values{$name};
        my $is_empty = ref $value eq 'ARRAY' ? !@{$value} : ref $value eq 'HASH' ? !%{$value} : 0;
        $self->{values}{$name} = $is_empty ? undef : $value;
    }

    return;
}

sub output {
    my ($self) = @_;

    my %cache   = ( COMPILE_EXT => '.ttc', COMPILE_DIR => "$compiled" );
    my %text_of = map { $_ => _text_block( $PARTS->{$_} ) } keys %{$PARTS};
    my $template
        = Template->new( { ABSOLUTE => 1, ENCODING => 'UTF-8', BLOCKS => { %PART, %text_of }, %cache } );
    $template->process( $self->{file}, $self->{values}, \my $html ) or die $template->error;

    return $html;
}

# Template compiles a string, and calls code.
sub _text_block {
    my ($text) = @_;

    return sub { return $text };
}

1;

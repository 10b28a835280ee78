package Koha::Plugin::Org::PatronPassport::DeskPage;

use Modern::Perl;

use Exporter   qw( import );
use Mojo::File qw( path );
use Mojo::JSON qw( decode_json to_json );

use Koha::Plugin::Org::PatronPassport::PageWords qw( language_in );

our @EXPORT_OK = qw( messages tags wanted_on );

=head1 NAME

Koha::Plugin::Org::PatronPassport::DeskPage - puts the desk's script on the page that Koha shows for an unknown card, and on
its form for a new patron

=head1 FUNCTIONS

=head2 wanted_on

    my $what = wanted_on($page);

C<panel> on the page for an unknown card, C<form> on the form for a new patron, which the script fills with the card; undef where
it would certainly do nothing. C<$page> is the path that a newer Koha passes to the hook; an older one leaves it in the
environment.

=cut

sub wanted_on {
    my ($page) = @_;

    $page //= $ENV{SCRIPT_NAME};
    my $query = $ENV{QUERY_STRING};
    return 'panel' if _is( $page, 'member' )      && _has( $query, qr{circsearch=1}xms );
    return 'form'  if _is( $page, 'memberentry' ) && _has( $query, qr{op=add (?: _form )?}xms );

    return;
}

# What is not known may be it.
sub _is {
    my ( $page, $name ) = @_;

    return !defined $page || $page =~ m{ /members/$name[.]pl \z}xms;
}

sub _has {
    my ( $query, $pair ) = @_;

    return !defined $query || $query =~ m{ (?: \A | [&;] ) $pair (?: [&;] | \z ) }xms;
}

=head2 tags

    my $html = tags( { what => 'panel', version => $version, settings => $settings, folder => $plugin->bundle_path,
        language => 'fr-FR' } );

The script, and what it needs to know for the panel, with the texts of the page's language alone.

=cut

sub tags {
    my ($page) = @_;

    my $script = qq{<script src="/api/v1/contrib/passport/desk.js?v=$page->{version}" defer></script>\n};
    return $script if $page->{what} eq 'form';

    my $messages = messages( $page->{folder} );
    my $language = language_in( $messages, $page->{language} );
    my $facts    = to_json(
        {   version  => $page->{version},
            library  => $page->{settings}{library},
            patterns => $page->{settings}->patterns,
            messages => { $language => $messages->{$language} },
        }
    );

    # no text of ours may end the element that it stands in
    $facts =~ s{<}{\\u003c}gxms;

    return qq{<script type="application/json" id="passport-desk">$facts</script>\n$script};
}

=head2 messages

The catalogue of translations, as it is in the plugin's folder.

=cut

sub messages {
    my ($folder) = @_;

    state $messages = decode_json( path( $folder, 'desk', 'messages.json' )->slurp );

    return $messages;
}

1;

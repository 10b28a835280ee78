package Koha::Plugin::Org::PatronPassport::DeskPage;

use Modern::Perl;

use Exporter   qw( import );
use Mojo::File qw( path );
use Mojo::JSON qw( decode_json to_json );

our @EXPORT_OK = qw( is_wanted_on messages tags );

=head1 NAME

Koha::Plugin::Org::PatronPassport::DeskPage - puts the desk's script on the page that Koha shows for an unknown card

=head1 FUNCTIONS

=head2 is_wanted_on

    if ( is_wanted_on($page) ) { ... }

False where the script would certainly do nothing. C<$page> is the path that a newer Koha passes to the hook; an older one
leaves it in the environment.

=cut

sub is_wanted_on {
    my ($page) = @_;

    $page //= $ENV{SCRIPT_NAME};
    return 0 if defined $page && $page !~ m{ /members/member[.]pl \z}xms;

    my $query = $ENV{QUERY_STRING};
    return 0 if defined $query && $query !~ m{ (?: \A | [&;] ) circsearch=1 (?: [&;] | \z ) }xms;

    return 1;
}

=head2 tags

    my $html = tags( { version => $version, settings => $settings, folder => $plugin->bundle_path } );

What the script needs to know, and the script.

=cut

sub tags {
    my ($page) = @_;

    my $facts = to_json(
        {   version  => $page->{version},
            library  => $page->{settings}{library},
            patterns => $page->{settings}->patterns,
            messages => messages( $page->{folder} ),
        }
    );

    # no text of ours may end the element that it stands in
    $facts =~ s{<}{\\u003c}gxms;

    return <<"HTML";
<script type="application/json" id="passport-desk">$facts</script>
<script src="/api/v1/contrib/passport/desk.js?v=$page->{version}" defer></script>
HTML
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

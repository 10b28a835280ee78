package Koha::Plugin::Org::PatronPassport::DeskScript;

use Modern::Perl;

use Exporter   qw( import );
use Mojo::File qw( path );
use Mojo::JSON qw( decode_json to_json );

use Koha::Plugin::Org::PatronPassport::PageWords qw( page_words );

our @EXPORT_OK = qw( first_keys script tags wanted_on );

=head1 NAME

Koha::Plugin::Org::PatronPassport::DeskScript - the files of desk/ as the one script that a browser gets, on the page that Koha
shows for an unknown card, in its checkout, and on its form for a new patron

=head1 FUNCTIONS

=head2 wanted_on

    my $what = wanted_on($page);

C<panel> on the page for an unknown card, C<checkout> in the checkout, where it shows the other scans of the desk and the standing of a copy,
C<form> on the form for a new patron, which the script fills with the card; undef where it would certainly do nothing. C<$page> is the path that a newer Koha passes to the hook; an older one leaves it in the
environment.

=cut

sub wanted_on {
    my ($page) = @_;

    $page //= $ENV{SCRIPT_NAME};
    my $query = $ENV{QUERY_STRING};
    return 'checkout' if _is( $page, 'circ/circulation' );
    return 'panel'    if _is( $page, 'members/member' )      && _has( $query, qr{circsearch=1}xms );
    return 'form'     if _is( $page, 'members/memberentry' ) && _has( $query, qr{op=add (?: _form )?}xms );

    return;
}

# What is not known may be it.
sub _is {
    my ( $page, $name ) = @_;

    return !defined $page || $page =~ m{ /$name[.]pl \z}xms;
}

sub _has {
    my ( $query, $pair ) = @_;

    return !defined $query || $query =~ m{ (?: \A | [&;] ) $pair (?: [&;] | \z ) }xms;
}

=head2 tags

    my $html = tags( { what => 'panel', version => $version, settings => $settings, folder => $plugin->bundle_path,
        language => 'fr-FR', staff => 51, is_from_elsewhere => 0 } );

The script, and what it needs to know: for the panel and the list of other scans, where the library serves its desks, and for the C<standing>
of the copy whose checkout this is. C<staff> is the number of who is logged in, whose the list is. Where the page C<is_from_elsewhere>, the panel looks nobody up before it is told to. With the texts of the page's language alone.

=cut

sub tags {
    my ($page) = @_;

    my $settings = $page->{settings};
    my $script   = qq{<script src="/api/v1/contrib/passport/desk.js?v=$page->{version}" defer></script>\n};
    return $settings->serves('staff') ? $script : q{} if $page->{what} eq 'form';

    my ( $language, $messages ) = page_words( @{$page}{qw( folder language )}, 'desk/messages.json' );
    my $facts = q{};
    if ( $page->{standing} ) {
        my %needed = map { $_ => $messages->{$_} } grep {m{\A (?: standing | reason ) [.]}xms} keys %{$messages};
        $facts .= _facts( 'standing', { standing => $page->{standing}, messages => { $language => \%needed } } );
    }
    if ( $settings->serves('staff') ) {
        $facts .= _facts(
            'desk',
            {   version  => $page->{version},
                library  => $settings->{library},
                staff    => $page->{staff},
                patterns => $settings->patterns,
                anyCard  => $settings->has_patterns ? Mojo::JSON->false : Mojo::JSON->true,
                messages => { $language => $messages },
                $page->{is_from_elsewhere} ? ( isFromElsewhere => Mojo::JSON->true ) : (),
            }
        );
    }

    return length $facts ? $facts . $script : q{};
}

sub _facts {
    my ( $name, $facts ) = @_;

    # no text of ours may end the element that it stands in
    my $json = to_json($facts) =~ s{<}{\\u003c}gxmsr;

    return qq{<script type="application/json" id="passport-$name">$json</script>\n};
}

=head2 first_keys

    my $html = first_keys( $plugin->bundle_path, $nonce );

What holds the keys that are typed before the script is there, for the head of the page: in the page itself, for a script that had to be fetched first would
come after them, or the page after it. C<$nonce> is that of the page's policy, undef where Koha has none.

=cut

sub first_keys {
    my ( $folder, $nonce ) = @_;

    state $script = path( $folder, 'first-keys.js' )->slurp =~ s{\A /[*] .*? [*]/ \n}{}xmsr;
    my $may = defined $nonce && $nonce =~ m{\A \w+ \z}xms ? qq{ nonce="$nonce"} : q{};

    return "<script$may>\n$script</script>\n";
}

=head2 script

    my $javascript = script( $plugin->bundle_path );

The files are modules to their readers and tests. A page of Koha gets them as one: one request to a web worker, and never
half of an older version. They are named in desk/files.json, one by one, for an upload is unzipped over the tree of the version before,
and a file that is not named may be a leftover; C<main>, which begins, comes last. They share one block, so that nothing of ours is
left in the page. C<import> and C<export> have to stand at the beginning of a line, and no two files may give the same name to
something at their outermost level: in a strict block that is an error at once.

=cut

sub script {
    my ($folder) = @_;

    my $desk = path( $folder, 'desk' );
    state $script = join q{}, "(function () {\n'use strict';\n{\n",
        ( map { _plain( $desk->child("$_.js") ) } @{ decode_json( $desk->child('files.json')->slurp ) } ),
        "}\n})();\n";

    return $script;
}

sub _plain {
    my ($file) = @_;

    my $text = $file->slurp;
    $text =~ s{^ import [ ] [^;]+ ; \n+}{}gxms;
    $text =~ s{^ export [ ]}{}gxms;

    return '// ' . $file->basename . "\n$text\n";
}

1;

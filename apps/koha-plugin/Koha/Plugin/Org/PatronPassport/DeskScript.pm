package Koha::Plugin::Org::PatronPassport::DeskScript;

use Modern::Perl;

use Exporter   qw( import );
use Mojo::File qw( path );

our @EXPORT_OK = qw( script );

# An upload is unzipped over the tree of the version before: a file that is not named here may be a leftover. C<main.js>,
# which begins, comes last.
my @FILES = qw(
    cancel card-of-page consent departure describe element follow koha-api koha-search memory names next-scan next-steps
    pace page panel-style panel pause read-answer register scan-state send-answer send sentences show steps words workflow
    main
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::DeskScript - the files of desk/ as the one script that a browser gets

=head1 FUNCTIONS

=head2 script

    my $javascript = script( $plugin->bundle_path );

The files are modules to their readers and tests. A page of Koha gets them as one: one request to a web worker, and never
half of an older version. They are named in this module, one by one. They share one block, so that nothing of ours is
left in the page. C<import> and C<export> have to stand at the beginning of a line, and no two files may give the same name to
something at their outermost level: in a strict block that is an error at once.

=cut

sub script {
    my ($folder) = @_;

    state $script = join q{}, "(function () {\n'use strict';\n{\n",
        ( map { _plain( path( $folder, 'desk', "$_.js" ) ) } @FILES ),
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

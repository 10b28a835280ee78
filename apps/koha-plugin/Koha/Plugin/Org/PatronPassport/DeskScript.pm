package Koha::Plugin::Org::PatronPassport::DeskScript;

use Modern::Perl;

use Exporter   qw( import );
use Mojo::File qw( path );

our @EXPORT_OK = qw( script );

=head1 NAME

Koha::Plugin::Org::PatronPassport::DeskScript - the files of desk/ as the one script that a browser gets

=head1 FUNCTIONS

=head2 script

    my $javascript = script( $plugin->bundle_path );

The files are modules to their readers and tests. A page of Koha gets them as one: one request to a web worker, and never
half of an older version. They share one block, so that nothing of ours is left in the page; C<main.js>, which begins,
comes last. C<import> and C<export> have to stand at the beginning of a line, and no two files may give the same name to
something at their outermost level: in a strict block that is an error at once.

=cut

sub script {
    my ($folder) = @_;

    state $script = _joined( path( $folder, 'desk' )->list->grep(qr{[.]js \z}xms)->each );

    return $script;
}

sub _joined {
    my (@files) = @_;

    my ( @main, @others );
    push @{ $_->basename eq 'main.js' ? \@main : \@others }, $_ foreach @files;

    return join q{}, "(function () {\n'use strict';\n{\n", ( map { _plain($_) } @others, @main ),
        "}\n})();\n";
}

sub _plain {
    my ($file) = @_;

    my $text = $file->slurp;
    $text =~ s{^ import [ ] [^;]+ ; \n+}{}gxms;
    $text =~ s{^ export [ ]}{}gxms;

    return '// ' . $file->basename . "\n$text\n";
}

1;

package Passport::Kpz;

# The plugin's package, as Koha takes it.

use Modern::Perl;

use Exporter              qw( import );
use File::Path            qw( make_path );
use IO::Uncompress::Unzip qw( $UnzipError );
use Mojo::File            qw( path );

our @EXPORT_OK = qw( entries_of pack_in pack_next unzip_over );

# Packs the plugin of this tree; the file's path.
sub pack_in {
    my ( $folder, $program ) = @_;

    chomp( my $kpz = qx{$^X $program $folder} );
    die "not packed\n" if $? || !-e $kpz;

    return $kpz;
}

# Packs this tree as the version after it would be, with one more column and one more method: what an upgrade from this version has to
# bring. The file's path.
sub pack_next {
    my ( $folder, $home ) = @_;

    my $tree   = path( $folder, 'next' );
    my $plugin = path( $tree,   'apps/koha-plugin' );
    foreach my $file ( @{ path( $home, 'Koha' )->list_tree }, path( $home, 'package.pl' ) ) {
        my $copy = path( $plugin, $file->to_rel($home) );
        make_path( $copy->dirname );
        $copy->spew( $file->slurp );
    }
    path( $tree, 'LICENSE' )->spew('GPL');

    my $class = 'Koha/Plugin/Org/PatronPassport';
    _edit(
        "$plugin/$class.pm",
        sub {s{(\$VERSION \s = \s ')\d+[.]}{${1}29.}xms},
        sub {s{^ (?= sub [ ] new [ ] )}{sub of_the_next { return 1 }\n\n}xms}
    );
    _edit( "$plugin/$class/Setup.pm", sub {s{(\$VERSION \s = \s ')\d+[.]}{${1}29.}xms} );
    _edit(
        "$plugin/$class/Scans.pm",
        sub {s{(?= \s+ PRIMARY [ ] KEY )}{\n    of_the_next BIGINT NULL,}xms},
        sub {s{(changes \s+ => \s+ \[)}{$1\[ of_the_next => 'ADD COLUMN of_the_next BIGINT NULL' \],}xms}
    );

    return pack_in( $folder, "$plugin/package.pl" );
}

sub _edit {
    my ( $file, @edits ) = @_;

    local $_ = path($file)->slurp;
    foreach my $edit (@edits) { $edit->() or die "nothing to change in $file\n" }
    path($file)->spew($_);

    return;
}

# { name => { content, time } }
sub entries_of {
    my ($kpz) = @_;

    my $zip = IO::Uncompress::Unzip->new("$kpz") or die $UnzipError;
    my %entry;
    do {
        local $/ = undef;
        my $header = $zip->getHeaderInfo;
        $entry{ $header->{Name} } = { content => scalar <$zip>, time => $header->{Time} };
    } while $zip->nextStream > 0;

    return \%entry;
}

# What Archive::Extract does for an upload (Koha's plugins-upload.pl): every file is written over what is there, with
# the archive's time; what the archive does not have stays.
sub unzip_over {
    my ( $kpz, $folder ) = @_;

    my $entries = entries_of($kpz);
    foreach my $name ( keys %{$entries} ) {
        my $file = path( $folder, $name );
        make_path( $file->dirname );
        $file->spew( $entries->{$name}{content} );
        utime $entries->{$name}{time}, $entries->{$name}{time}, "$file" or die "no time: $!\n";
    }

    return;
}

1;

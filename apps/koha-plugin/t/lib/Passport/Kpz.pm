package Passport::Kpz;

# The plugin's package, as Koha takes it.

use Modern::Perl;

use Exporter              qw( import );
use File::Path            qw( make_path );
use IO::Uncompress::Unzip qw( $UnzipError );
use Mojo::File            qw( path );

our @EXPORT_OK = qw( entries_of pack_in unzip_over );

# Packs the plugin of this tree; the file's path.
sub pack_in {
    my ( $folder, $program ) = @_;

    chomp( my $kpz = qx{$^X $program $folder} );
    die "not packed\n" if $? || !-e $kpz;

    return $kpz;
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

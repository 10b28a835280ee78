#!/usr/bin/perl

# Packs the plugin as a .kpz, the zip that Koha takes: package.pl FOLDER. It prints the file's name. The same tree gives
# the same bytes: names are sorted, times and modes are fixed.

use Modern::Perl;

use File::Find        qw( find );
use File::Path        qw( make_path );
use FindBin           qw( $Bin );
use IO::Compress::Zip qw( $ZipError );

my $folder = shift // die "where to? package.pl FOLDER\n";

# 2026-11-25, noon: an old zip knows no time zone, so the day is all that is meant
my $TIME = 1_795_608_000;

my %content = map { $_ => _read("$Bin/$_") } _files();
$content{'Koha/Plugin/Org/PatronPassport/LICENSE'} = _read("$Bin/../../LICENSE");

my ($version) = $content{'Koha/Plugin/Org/PatronPassport.pm'} =~ m{ \$VERSION \s* = \s* '([0-9.]+)' }xms;
die "the plugin has no version\n" if !defined $version;

make_path($folder);
my $kpz = "$folder/patron-passport-$version.kpz";
local $ENV{TZ} = 'UTC';
my $zip;
foreach my $name ( sort keys %content ) {
    my %entry = ( Name => $name, Time => $TIME, ExtAttr => oct(100644) << 16 );
    if   ($zip) { $zip->newStream(%entry)                       or die "$ZipError\n" }
    else        { $zip = IO::Compress::Zip->new( $kpz, %entry ) or die "$ZipError\n" }
    $zip->print( $content{$name} ) or die "$ZipError\n";
}
$zip->close or die "$ZipError\n";

say $kpz;

sub _files {
    my @files;
    find( { no_chdir => 1, wanted => sub { push @files, $_ if -f } }, "$Bin/Koha" );

    return map {s{\A \Q$Bin\E /}{}xmsr} @files;
}

sub _read {
    my ($file) = @_;

    open my $handle, '<:raw', $file or die "$file: $!\n";
    local $/ = undef;
    my $bytes = <$handle>;
    close $handle or die "$file: $!\n";

    return $bytes;
}

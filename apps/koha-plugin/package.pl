#!/usr/bin/perl

# Packs the plugin as a .kpz, the zip that Koha takes: package.pl FOLDER. It prints the file's name. The same tree gives
# the same bytes: names are sorted, modes are fixed, and the time of all files comes from the release.

use Modern::Perl;

use File::Find        qw( find );
use File::Path        qw( make_path );
use FindBin           qw( $Bin );
use IO::Compress::Zip qw( $ZipError );
use Time::Local       qw( timegm_modern );

my $folder = shift // die "where to? package.pl FOLDER\n";

my %content = map { $_ => _read("$Bin/$_") } _files();
$content{'Koha/Plugin/Org/PatronPassport/LICENSE'} = _read("$Bin/../../LICENSE");

my $class = $content{'Koha/Plugin/Org/PatronPassport.pm'};
my ($version) = $class =~ m{ \$VERSION \s* = \s* '([0-9]+[.][0-9]+[.][0-9]+)' }xms
    or die "the plugin has no version\n";
my ($date) = $class =~ m{ date_updated \s* => \s* '([0-9]{4}-[0-9]{2}-[0-9]{2})' }xms
    or die "the plugin has no date\n";
my $time = _time_of( $version, $date );

make_path($folder);
my $kpz = "$folder/patron-passport-$version.kpz";
local $ENV{TZ} = 'UTC';
my $zip;
foreach my $name ( sort keys %content ) {
    my %entry = ( Name => $name, Time => $time, ExtAttr => oct(100644) << 16 );
    if   ($zip) { $zip->newStream(%entry)                       or die "$ZipError\n" }
    else        { $zip = IO::Compress::Zip->new( $kpz, %entry ) or die "$ZipError\n" }
    $zip->print( $content{$name} ) or die "$ZipError\n";
}
$zip->close or die "$ZipError\n";

say $kpz;

# Koha unzips an upload with these times, and Template takes a page from its cache as long as the file's time is the one
# of the page that was cached (Template::Provider, _compiled_is_current): two releases with one time would show the older
# page. So the day is the release's, and the time of day spells the version: 1.2.3 is 02:03:02. A zip counts every second
# second, and knows no time zone.
sub _time_of {
    my ( $number, $day ) = @_;

    my ( $major, $minor, $patch ) = split m{[.]}xms, $number;
    die "no time of day spells version $number\n" if $major > 29 || $minor > 23 || $patch > 59;

    my ( $year, $month, $date_of_month ) = split m{-}xms, $day;

    return timegm_modern( 2 * $major, $patch, $minor, $date_of_month, $month - 1, $year );
}

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

package Passport::Page;

# A page as Koha's templates make it, with stand-ins for the parts that Koha puts around a plugin's own.

use Modern::Perl;

use Template;

my %PART = (
    'doc-head-open.inc'      => '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
    'doc-head-close.inc'     => q{},
    'header.inc'             => '<header>[% content %]</header>',
    'prefs-admin-search.inc' => '<form role="search"></form>',
    'intranet-bottom.inc'    => '</body></html>',
);

sub new {
    my ( $class, $plugin, $file ) = @_;

    return bless {
        file   => $plugin->bundle_path . "/$file",
        values => { CLASS => $plugin->{class}, METHOD => 'configure' },
    }, $class;
}

sub param {
    my ( $self, %values ) = @_;

    $self->{values} = { %{ $self->{values} }, %values };

    return;
}

sub output {
    my ($self) = @_;

    my $template = Template->new( { ABSOLUTE => 1, ENCODING => 'UTF-8', BLOCKS => \%PART } );
    $template->process( $self->{file}, $self->{values}, \my $html ) or die $template->error;

    return $html;
}

1;

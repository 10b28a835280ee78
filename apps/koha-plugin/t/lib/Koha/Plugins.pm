package Koha::Plugins;

# Stands in for Koha's class in these tests: hooks are called one plugin after the other, in the database's order, each
# inside an eval, and whatever one of them dies of is only written down.

use Modern::Perl;

use C4::Context;
use File::Find qw( find );
use Koha::Plugins::Base;

our @ENABLED;

sub call {
    my ( $class, $hook, @args ) = @_;

    foreach my $plugin ( grep { $_->can($hook) } $class->get_enabled_plugins( { verbose => 0 } ) ) {
        eval { $plugin->$hook(@args); 1 } or warn "Plugin error: $@";
    }

    return;
}

sub get_enabled_plugins {
    return @ENABLED;
}

sub new {
    my ( $class, $args ) = @_;

    return bless { %{ $args // {} } }, $class;
}

# Loads every module that lies under the plugins' folder, and makes an object of each that is a plugin: that installs
# or upgrades it.
sub InstallPlugins {
    my ($self) = @_;

    my $folder = C4::Context->config('pluginsdir');
    my @files;
    find( { no_chdir => 1, wanted => sub { push @files, $_ if m{[.]pm \z}xms } }, "$folder/Koha/Plugin" );

    my @plugins;
    foreach my $file ( sort @files ) {
        my $name = $file =~ s{\A \Q$folder\E /}{}xmsr;
        if ( !eval { require $name; 1 } ) {
            warn $@;
            next;
        }
        my $class = $name =~ s{[.]pm \z}{}xmsr =~ s{/}{::}gxmsr;
        next if !$class->isa('Koha::Plugins::Base');
        my $plugin = eval { $class->new( { enable_plugins => 1 } ) };
        if ( !$plugin ) {
            warn $@;
            next;
        }
        push @plugins, $plugin;
    }

    return @plugins;
}

1;

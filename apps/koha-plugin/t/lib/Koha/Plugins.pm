package Koha::Plugins;

# Stands in for Koha's class in these tests: hooks are called one plugin after the other, in the database's order, each
# inside an eval, and whatever one of them dies of is only written down.

use Modern::Perl;

use C4::Context;
use Class::Inspector ();
use File::Find       qw( find );
use Koha::Plugins::Base;

our @ENABLED;

# Before Koha 26.11 a class that a web worker has loaded stays loaded, whatever was unzipped since.
our $FORGETS = 0;

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

# By the table, not by the class: what InstallPlugins has not seen is not there (Koha/Plugins.pm, GetPlugins).
sub GetPlugins {
    my ( $self, $params ) = @_;

    my $classes
        = C4::Context->dbh->selectcol_arrayref(
        'SELECT DISTINCT plugin_class FROM plugin_methods WHERE plugin_method = ?',
        undef, $params->{method} );

    return grep { $_->is_enabled || $params->{all} } map { $_->new( { enable_plugins => 1 } ) } @{$classes};
}

sub new {
    my ( $class, $args ) = @_;

    return bless { %{ $args // {} } }, $class;
}

# Loads every module that lies under the plugins' folder, and makes an object of each that is a plugin: that installs
# or upgrades it. Then the methods of the class, as this process has it, are written to the table (Koha/Plugins.pm).
sub InstallPlugins {
    my ($self) = @_;

    my $folder = C4::Context->config('pluginsdir');
    my @files;
    find( { no_chdir => 1, wanted => sub { push @files, $_ if m{[.]pm \z}xms } }, "$folder/Koha/Plugin" );

    my @plugins;
    foreach my $file ( sort @files ) {
        my $name  = $file =~ s{\A \Q$folder\E /}{}xmsr;
        my $class = $name =~ s{[.]pm \z}{}xmsr =~ s{/}{::}gxmsr;
        _forget( $class, $name ) if $FORGETS;
        if ( !eval { require $name; 1 } ) {
            warn $@;
            next;
        }
        next if !$class->isa('Koha::Plugins::Base');
        my $plugin = eval { $class->new( { enable_plugins => 1 } ) };
        if ( !$plugin ) {
            warn $@;
            next;
        }
        _register($class);
        push @plugins, $plugin;
    }

    return @plugins;
}

sub _register {
    my ($class) = @_;

    my $dbh = C4::Context->dbh;
    $dbh->do( 'DELETE FROM plugin_methods WHERE plugin_class = ?', undef, $class );
    $dbh->do( 'INSERT INTO plugin_methods (plugin_class, plugin_method) VALUES (?, ?)', undef, $class, $_ )
        foreach @{ Class::Inspector->methods( $class, 'public' ) };

    return;
}

# Koha's development code of 2026 (Koha/Plugins.pm, _forget_plugin_class): class by class, so that the plugin's own is made
# anew, and its new() runs, while the modules beside it are still those of before.
sub _forget {
    my ( $class, $name ) = @_;

    return if !Class::Inspector->loaded($class);

    no strict 'refs';    ## no critic (ProhibitNoStrict)
    @{"${class}::ISA"} = ();
    my $stash = \%{"${class}::"};
    delete $stash->{$_} foreach grep { !m{:: \z}xms } keys %{$stash};
    delete $INC{$name};

    return;
}

1;

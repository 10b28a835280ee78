package Koha::Plugins::Handler;

# Stands in for Koha's class in these tests: how a plugin is removed.

use Modern::Perl;

use C4::Context;
use File::Path qw( remove_tree );

sub delete {
    my ( undef, $args ) = @_;

    my $class = $args->{class};
    ( my $name = "$class.pm" ) =~ s{::}{/}gxms;
    require $name;
    ( my $path = $INC{$name} ) =~ s{[.]pm \z}{}xms;

    $class->new( { enable_plugins => 1 } )->uninstall;
    C4::Context->dbh->do( 'DELETE FROM plugin_data WHERE plugin_class = ?', undef, $class );

    unlink "$path.pm" or warn "Could not unlink $path.pm: $!";
    remove_tree($path);

    return;
}

1;

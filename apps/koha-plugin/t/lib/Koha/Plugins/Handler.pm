package Koha::Plugins::Handler;

# Stands in for Koha's class in these tests: how a page of a plugin is run, and how a plugin is removed.

use Modern::Perl;

use C4::Context;
use File::Path qw( remove_tree );

# A method that the table does not have is none (Koha/Plugins/Handler.pm, run).
sub run {
    my ( undef, $args ) = @_;

    my ( $class, $method ) = @{$args}{qw( class method )};
    my ($is_there)
        = C4::Context->dbh->selectrow_array(
        'SELECT COUNT(*) FROM plugin_methods WHERE plugin_class = ? AND plugin_method = ?',
        undef, $class, $method );
    if ( !$is_there ) {
        warn "Plugin does not have method $method";
        return;
    }

    return $class->new( { cgi => $args->{cgi}, enable_plugins => 1 } )->$method( $args->{params} );
}

sub delete {
    my ( $self, $args ) = @_;

    my $class = $args->{class};
    ( my $name = "$class.pm" ) =~ s{::}{/}gxms;
    require $name;
    ( my $path = $INC{$name} ) =~ s{[.]pm \z}{}xms;

    $self->run( { class => $class, method => 'uninstall' } );
    C4::Context->dbh->do( "DELETE FROM $_ WHERE plugin_class = ?", undef, $class )
        foreach qw( plugin_methods plugin_data );

    unlink "$path.pm" or warn "Could not unlink $path.pm: $!";
    remove_tree($path);

    return;
}

1;

package Koha::Plugins::Base;

# Stands in for Koha's class in these tests: what a plugin may count on, over the same table.

use Modern::Perl;

use Cwd      qw( abs_path );
use Template ();

use C4::Context;

sub new {
    my ( $class, $args ) = @_;

    my $self    = bless { %{$args}, class => $class }, $class;
    my $version = $self->get_metadata->{version};
    if ( !$self->retrieve_data('__INSTALLED__') ) {
        my $is_installed = _run( $self, 'install', 'installation' );
        $self->store_data( { __INSTALLED__ => 1, __ENABLED__ => 1, __INSTALLED_VERSION__ => $version } )
            if $is_installed;
    }
    elsif ( _is_newer( $version, $self->retrieve_data('__INSTALLED_VERSION__') || 0 ) ) {
        $self->store_data( { __INSTALLED_VERSION__ => $version } ) if _run( $self, 'upgrade', 'upgrade' );
    }

    ( my $file   = "$class.pm" ) =~ s{::}{/}gxms;
    ( my $folder = $INC{$file} ) =~ s{[.]pm \z}{}xms;
    $self->{_bundle_path} = abs_path($folder);

    return $self;
}

# What it died of is in a field of the exception that nobody prints (Koha/Exceptions/Plugin.pm, full_message).
sub _run {
    my ( $self, $method, $what ) = @_;

    my $result;
    eval { $result = $self->$method; 1 } or die "Calling '$method' died for plugin $self->{class}\n";
    warn "Plugin $self->{class} failed during $what!" if !$result;

    return $result;
}

sub _is_newer {
    my ( $one, $other ) = map { [ split m{[.+:~-]}xms ] } @_;

    foreach ( 0 .. 5 ) {
        my $order = ( $one->[$_] // 0 ) <=> ( $other->[$_] // 0 );
        return $order > 0 if $order;
    }

    return 0;
}

sub store_data {
    my ( $self, $data ) = @_;

    foreach my $key ( keys %{$data} ) {
        C4::Context->dbh->do(
            'REPLACE INTO plugin_data (plugin_class, plugin_key, plugin_value) VALUES (?, ?, ?)',
            undef, $self->{class}, $key, $data->{$key} );
    }

    return;
}

sub retrieve_data {
    my ( $self, $key ) = @_;

    my ($value)
        = C4::Context->dbh->selectrow_array(
        'SELECT plugin_value FROM plugin_data WHERE plugin_class = ? AND plugin_key = ?',
        undef, $self->{class}, $key );

    return $value;
}

sub is_enabled {
    my ($self) = @_;

    return $self->retrieve_data('__ENABLED__');
}

sub enable {
    my ($self) = @_;

    $self->store_data( { __ENABLED__ => 1 } );

    return $self;
}

sub disable {
    my ($self) = @_;

    $self->store_data( { __ENABLED__ => 0 } );

    return $self;
}

sub get_metadata {
    my ($self) = @_;

    return $self->{metadata};
}

sub get_qualified_table_name {
    my ( $self, $name ) = @_;

    return lc join q{_}, split( m{::}xms, $self->{class} ), $name;
}

sub bundle_path {
    my ($self) = @_;

    return $self->{_bundle_path};
}

sub get_template {
    my ( $self, $args ) = @_;

    return Passport::Page->new( $self, $args->{file} );
}

sub output_html {
    my ( $self, $html ) = @_;

    $self->{shown} = $Passport::Page::LAST = $html;

    return;
}

1;

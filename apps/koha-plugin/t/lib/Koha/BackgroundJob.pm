package Koha::BackgroundJob;

# Stands in for Koha's class in these tests: a job is a row, its type has to be one that a plugin registered, and a worker is
# given what was enqueued, who had it enqueued, and nothing else of the page.

use Modern::Perl;

use C4::Context;
use Koha::Plugins;
use Mojo::JSON qw( decode_json encode_json );

# What Koha says to the message broker, and waits for.
our $BROKER = sub { };

sub new {
    my ($class) = @_;

    return bless {}, $class;
}

sub enqueue {
    my ( $self, $params ) = @_;

    # Koha fills it in with whoever is logged in
    my $context = $params->{job_context} // { %{ C4::Context->userenv // {} } };
    C4::Context->dbh->do(
        'INSERT INTO background_jobs (status, type, queue, size, progress, data, context, borrowernumber)'
            . q{ VALUES ('new', ?, 'default', ?, 0, ?, ?, ?)},
        undef,
        $self->job_type,
        $params->{job_size},
        encode_json( $params->{job_args} ),
        encode_json($context),
        ( C4::Context->userenv // {} )->{number},
    );
    eval { $BROKER->(); 1 } or warn "Cannot connect to broker ($@)\n";

    return;
}

# The worker: does what waits, and returns the jobs as they ended.
sub work_off {
    my ($class) = @_;

    my $dbh  = C4::Context->dbh;
    my $rows = $dbh->selectall_arrayref( q{SELECT * FROM background_jobs WHERE status = 'new' ORDER BY id},
        { Slice => {} } );
    foreach my $row ( @{$rows} ) {
        my $derived = _class_of( $row->{type} ) or die "$row->{type} is not a valid job_type\n";
        local $C4::Context::USERENV = decode_json( $row->{context} );
        my $job = bless { %{$row} }, $derived;
        $job->process( { %{ decode_json( $row->{data} ) }, job_id => $row->{id} } );
    }

    return @{ $dbh->selectall_arrayref( 'SELECT * FROM background_jobs ORDER BY id', { Slice => {} } ) };
}

sub status {
    my ($self) = @_;

    return $self->{status};
}

sub start {
    my ($self) = @_;

    die "inconsistent status\n" if $self->{status} ne 'new';

    return $self->_store( status => 'started' );
}

sub step {
    my ($self) = @_;

    die "inconsistent status\n" if $self->{status} ne 'started';
    die "step out of bounds\n"  if $self->{progress} >= $self->{size};

    return $self->_store( progress => $self->{progress} + 1 );
}

sub finish {
    my ( $self, $data ) = @_;

    return $self->_store( status => 'finished', data => encode_json($data) );
}

sub _class_of {
    my ($type) = @_;

    foreach my $plugin ( Koha::Plugins->new->GetPlugins( { method => 'background_tasks' } ) ) {
        my $tasks     = $plugin->background_tasks;
        my $namespace = $plugin->get_metadata->{namespace};
        foreach my $name ( keys %{$tasks} ) {
            return $tasks->{$name} if $type eq "plugin_${namespace}_$name";
        }
    }

    return;
}

sub _store {
    my ( $self, %values ) = @_;

    foreach my $column ( sort keys %values ) {
        $self->{$column} = $values{$column};
        C4::Context->dbh->do( "UPDATE background_jobs SET $column = ? WHERE id = ?",
            undef, $values{$column}, $self->{id} );
    }

    return $self;
}

1;

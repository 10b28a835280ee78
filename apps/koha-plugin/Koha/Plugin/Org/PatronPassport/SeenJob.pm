package Koha::Plugin::Org::PatronPassport::SeenJob;

use Modern::Perl;

use base qw( Koha::BackgroundJob );

use C4::Context;
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Event qw( new_id seen );
use Koha::Plugin::Org::PatronPassport::Sender;

my $DAY_S     = 24 * 60 * 60;
my $VISIT_S   = 60;
my $IN_TIME_S = 10 * 60;
my $BROKER_S  = 0.5;

=head1 NAME

Koha::Plugin::Org::PatronPassport::SeenJob - the background job that reports the scan of a copy

=head1 DESCRIPTION

What Koha stores of it, and shows on its page of jobs, is the number of the copy, when it was scanned, and the number of who was
logged in, as of every job; the name and card of who was logged in are left out. A report that the receiver does not take is not repeated: the copy is refreshed by the service's sweep, or at a later scan.

=head1 FUNCTIONS

=head2 copy_seen

    copy_seen( $plugin, 'staff', { copy => 812, seen_at => undef, has_standing => 1 } );

Has the scan of a copy reported, which the service may refresh then: once a day at most, and where it has the standing of the patron
checked, at each visit; a self-check scans the card anew with each item. Nothing is sent here, where the desk waits: the
report is a background job of Koha's own, which any of its workers does.

=cut

sub copy_seen {
    my ( $plugin, $interface, $known ) = @_;

    my $now    = time;
    my $before = $now - ( $known->{has_standing} ? $VISIT_S : $DAY_S );
    return if ( $known->{seen_at} // 0 ) > $before;
    my $settings = $plugin->settings;
    return if !_is_on($settings) || !$settings->takes($interface);

    # a job of a transaction that is undone would be announced, and not be there
    return if !C4::Context->dbh->{AutoCommit};
    return if !$plugin->copies->mark_seen( $known->{copy}, $now, $before );

    __PACKAGE__->new->enqueue( { patron_id => $known->{copy} } );

    return;
}

sub _is_on {
    my ($settings) = @_;

    return $settings->serves('copies') && $settings->is_complete;
}

=head1 METHODS

=head2 job_type

The name of the plugin's namespace and its task, as C<Koha::BackgroundJob> forms it (C<plugin_types_to_classes>).

=cut

sub job_type {
    return 'plugin_passport_seen_copy';
}

=head2 enqueue

    Koha::Plugin::Org::PatronPassport::SeenJob->new->enqueue( { patron_id => 812 } );

Koha announces it to the message broker, and would wait without end for one that takes the connection and does not answer (Koha/BackgroundJob.pm,
C<connect> and C<enqueue>; Net::Stomp, C<can_read>). After half a second that ends as a broker that is not there does: Koha writes it down. The
alarm repeats itself, since Net::Stomp tries again, without end, whatever ends its try (C<_get_connection_retrying>). A SIP server has an alarm of
its own, which goes on.

=cut

sub enqueue {
    my ( $self, $args ) = @_;

    my %job = (
        job_size    => 1,
        job_args    => { patron_id => 0 + $args->{patron_id}, seen_at => Time::HiRes::time() },
        job_context => {},
    );
    my $is_waiting = 1;
    local $SIG{ALRM} = sub { die "no answer of the message broker\n" if $is_waiting };
    my $alarm   = Time::HiRes::alarm( $BROKER_S, $BROKER_S );
    my $is_done = eval { $self->SUPER::enqueue( \%job ); $is_waiting = 0; 1 };
    my $error   = $@;
    Time::HiRes::alarm($alarm);
    die $error if !$is_done;

    return;
}

=head2 process

Sends the event. A worker that comes to it late finds nobody at the desk any more, and leaves it.

=cut

sub process {
    my ( $self, $args ) = @_;

    return if $self->status eq 'cancelled';
    $self->start;

    my $end = _report($args);
    $self->step;
    $self->finish( { messages => [], report => { end => $end } } );

    return;
}

sub _report {
    my ($args) = @_;

    return 'late' if Time::HiRes::time() - $args->{seen_at} > $IN_TIME_S;

    require Koha::Plugin::Org::PatronPassport;
    my $plugin   = Koha::Plugin::Org::PatronPassport->running or return 'off';
    my $settings = $plugin->settings;
    return 'off' if !_is_on($settings);

    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->deliver( new_id(), seen( $args->{patron_id}, $args->{seen_at} ) );

    return $answer->{kind};
}

1;

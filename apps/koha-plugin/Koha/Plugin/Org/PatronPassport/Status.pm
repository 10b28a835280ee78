package Koha::Plugin::Org::PatronPassport::Status;

use Modern::Perl;

use Exporter qw( import );
use POSIX    qw( mktime );

use Koha::Plugin::Org::PatronPassport::Event qw( new_id status_requested test_event );
use Koha::Plugin::Org::PatronPassport::Sender;

# A page that somebody opened waits for both together at most.
my $STATUS_LIMIT_S = 2.5;
my $TEST_LIMIT_S   = 1.5;

our @EXPORT_OK = qw( service_status );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Status - how the service is for this library, as the receiver says

=head1 FUNCTIONS

=head2 service_status

    my $service = service_status( $settings, $now );

The status with the outcomes of today, in this server's time zone (L<Koha::Plugin::Org::PatronPassport::Sender/status>); C<< { kind =>
'incomplete' } >> without settings to request it with; C<< { kind => 'earlier', ms => 9 } >> of a receiver that takes events and does not
know how to answer this. It is never an exception, and takes four seconds at most.

=cut

sub service_status {
    my ( $settings, $now ) = @_;

    return { kind => 'incomplete' } if !$settings->is_complete;

    my $sender = Koha::Plugin::Org::PatronPassport::Sender->new($settings);
    my $answer
        = $sender->status( new_id(), status_requested( _midnight($now), $now ), $STATUS_LIMIT_S );
    return $answer if $answer->{kind} ne 'refused' || $answer->{status} != 404;

    # of what has no such route, a test event shows whether it is a receiver
    my $test = $sender->deliver( new_id(), test_event($now), $TEST_LIMIT_S );

    return $test->{kind} eq 'accepted' ? { kind => 'earlier', ms => $test->{ms} } : $test;
}

# The last one, by this server's clock.
sub _midnight {
    my ($now) = @_;

    my ( undef, undef, undef, $day, $month, $year ) = localtime $now;

    return mktime( 0, 0, 0, $day, $month, $year, 0, 0, -1 );
}

1;

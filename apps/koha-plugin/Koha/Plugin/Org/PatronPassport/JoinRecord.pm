package Koha::Plugin::Org::PatronPassport::JoinRecord;

use Modern::Perl;

use Exporter qw( import );
use C4::Log  ();
use Encode   qw( decode encode );
use Koha::Database;
use Mojo::JSON  qw( decode_json encode_json );
use POSIX       qw( strftime );
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::ApiKeys      qw( keep_only revoke was_used );
use Koha::Plugin::Org::PatronPassport::KohaFacts    qw( may );
use Koha::Plugin::Org::PatronPassport::PartnerCards qw( take_over );
use Koha::Plugin::Org::PatronPassport::SetupPlan    qw( wait_for_others );
use Koha::Plugin::Org::PatronPassport::Status       qw( service_status );
use Koha::Plugin::Org::PatronPassport::User         qw( current_user );

# What is known of the request that was made, as JSON in plugin_data, with the key that it carries: whose it is, and which; no secret but as sealed.
my $RECORD = 'join';

our @EXPORT_OK
    = qw( disconnect end_request forget keep log_join may_join one_at_a_time record_of settle take_back time_here while_known );

=head1 NAME

Koha::Plugin::Org::PatronPassport::JoinRecord - the request of this library to join: what is known of it, and how it ends

=head1 DESCRIPTION

From when it is made until the service says that it knows this library, or somebody takes it back. Several web workers, and several people, may have it at
hand: each act is on the request that was seen, one at a time.

=head1 FUNCTIONS

=head2 settle

    my $record = settle($plugin);

What is known of the request of this library, undef where none was made. Where it waits, the service is asked whether it knows this library by now;
if so, it waits no longer, and follows the card patterns of its partners from then on. Once the key that was sent is used, the service's user has no other of
this plugin's: that somebody says they know this library is no reason to revoke the one that its service works with.

=cut

sub settle {
    my ( $plugin, $limit_s ) = @_;

    my $record   = record_of($plugin) or return;
    my $settings = $plugin->settings;
    if ( $settings->{join_waiting} ) {
        my $now     = Time::HiRes::time();
        my $service = service_status( $settings->accepted, $now, $limit_s );
        return $record if $service->{kind} ne 'known';

        delete @{$record}{qw( text is_unsure )};
        $record->{connected_at} = time_here($now);
        my $is_done = while_known( $plugin, $record, 1,
            sub { keep( $plugin, $record, join_waiting => 0, cards_followed => 1 ) } );
        take_over( $plugin, $service ) if $is_done;
        $record = record_of($plugin) or return;
    }
    _revoke_others( $plugin, $record ) if !$record->{is_only_key} && !$plugin->settings->{join_waiting};

    return $record;
}

sub _revoke_others {
    my ( $plugin, $record ) = @_;

    return if !was_used( $record->{client_id} );
    $record->{is_only_key} = 1;

    return while_known(
        $plugin, $record, 0,
        sub {
            keep( $plugin, $record );
            my $revoked = join q{, }, keep_only( @{$record}{qw( patron_id client_id )} );
            log_join( $record->{patron_id},
                "$record->{host} uses the API key that it was sent; revoked those of before: $revoked" )
                if $revoked ne q{};
        }
    );
}

=head2 take_back

    my $question = take_back( $plugin, $client_id );

Ends a request that waits, revokes the key that it carries and forgets its webhook secret, so that whoever accepts it afterwards has nothing. Where the service knows this library by now,
or somebody has used the key, nothing is taken back yet, as an operator may have accepted it: what is known of the request is returned, and L</disconnect> is the answer.
With a key, only the request that carries it is meant: the page that was pressed may be older than the one that waits.

=cut

sub take_back {
    my ( $plugin, $client_id ) = @_;

    my $record = settle($plugin) or return;
    return if defined $client_id && $client_id ne $record->{client_id};

    my $is_ended
        = $plugin->settings->{join_waiting}
        && !was_used( $record->{client_id} )
        && end_request( $plugin, $record, 1, 'Took the request to join back, and revoked its API key' );
    return if $is_ended;

    # another web worker may have ended it meanwhile, or seen that it is accepted
    $record = record_of($plugin) or return;

    return { %{$record}, is_waiting => $plugin->settings->{join_waiting}, may_end => may_join() };
}

=head2 disconnect

    my $is_done = disconnect( $plugin, $client_id );

Revokes that key, if it is the one of this library's request, whatever the service says: whoever got the key can say that they know this library, and must not keep
it by that. The webhook secret, which they have as well, is forgotten, as whenever a request ends; one in koha-conf.xml is for a hand to change. For superlibrarians alone. Nobody is called.

=cut

sub disconnect {
    my ( $plugin, $client_id ) = @_;

    my $record = record_of($plugin);
    return 0 if !$record || ( $client_id // q{} ) ne $record->{client_id} || !may_join();

    return end_request( $plugin, $record, 0,
        "Revoked the API key that was sealed for $record->{host}, forgot the webhook secret, and disconnected"
    );
}

# With the webhook secret, which was sealed for the same host.
sub end_request {
    my ( $plugin, $record, $must_wait, $why ) = @_;

    return while_known(
        $plugin, $record,
        $must_wait,
        sub {
            revoke( $record->{client_id} );
            $plugin->store_data(
                { $RECORD => undef, join_waiting => 0, map { $_ => q{} } qw( receiver_url library secret ) }
            );
            log_join( $record->{patron_id}, $why );
        }
    );
}

=head2 forget

    forget($plugin);

Revokes every key that this plugin has made for the service's user, before the plugin is removed: the key of a request to join, also where the
plugin was moved to another address by hand, and those that the set-up button has shown. Keys with other descriptions, and of other patrons, stay.

=cut

sub forget {
    my ($plugin) = @_;

    my $record = _stored($plugin);
    if ( $record && revoke( $record->{client_id} ) ) {
        log_join( $record->{patron_id},
            "Removed the plugin, and revoked the API key that was sealed for $record->{host}" );
    }
    my %numbers = map { $_ => 1 } grep { length( $_ // q{} ) } $plugin->settings->{service_user},
        $record ? $record->{patron_id} : ();
    foreach my $number ( sort keys %numbers ) {
        my @revoked = keep_only( $number, q{} ) or next;
        log_join( $number, 'Removed the plugin, and revoked the API keys that it had made: ' . join q{, }, @revoked );
    }

    return;
}

sub _stored {
    my ($plugin) = @_;

    my $json   = $plugin->retrieve_data($RECORD) // return;
    my $record = eval { decode_json( encode( 'UTF-8', $json ) ) };

    return ref $record eq 'HASH' ? $record : undef;
}

# Of this address and library: others were entered by hand.
sub record_of {
    my ($plugin) = @_;

    my $record   = _stored($plugin) or return;
    my $settings = $plugin->settings;
    return if $settings->{receiver_url} ne $record->{receiver} || $settings->{library} ne $record->{library};

    return $record;
}

# Several web workers may have the same request at hand, and one at a time changes it.
sub one_at_a_time {
    my ( $plugin, $work ) = @_;

    return Koha::Database->new->schema->txn_do(
        sub {
            wait_for_others($plugin);
            return $work->();
        }
    );
}

# Whether it was done: somebody else may have ended the request, or seen that it does not wait any more.
sub while_known {
    my ( $plugin, $record, $must_wait, $work ) = @_;

    return one_at_a_time(
        $plugin,
        sub {
            my $now = record_of($plugin);
            return 0
                if !$now
                || ( $must_wait && !$plugin->settings->{join_waiting} )
                || $now->{client_id} ne $record->{client_id};
            $work->();
            return 1;
        }
    );
}

sub keep {
    my ( $plugin, $record, %more ) = @_;

    return $plugin->store_data( { $RECORD => decode( 'UTF-8', encode_json($record) ), %more } );
}

sub log_join {
    my ( $number, $text ) = @_;

    return C4::Log::logaction( 'PATRONPASSPORT', 'JOIN', $number, $text );
}

# Koha gives keys of others to superlibrarians alone (members/apikeys.pl).
sub may_join {
    my $user = current_user() or return 0;

    return may( $user, 'superlibrarian' );
}

# By this server's clock, with its zone.
sub time_here {
    my ($at) = @_;

    return strftime( '%Y-%m-%d %H:%M %Z', localtime $at );
}

1;

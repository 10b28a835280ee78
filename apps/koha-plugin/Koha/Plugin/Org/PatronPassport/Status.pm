package Koha::Plugin::Org::PatronPassport::Status;

use Modern::Perl;

use Exporter qw( import );
use POSIX    qw( mktime );

use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Shape qw( is_id list_of number object pattern text );

# A page that somebody opened waits so long at most.
my $STATUS_LIMIT_S = 2.5;

my $TEXT = text( 200, 1 );
my $CODE = pattern(qr{[A-Z][A-Z_]{1,40}}xms);
my $TIME = pattern(qr{\d{4} - \d\d - \d\d T \d\d : \d\d : \d\d (?: [.] \d{1,9} )? Z}xms);

my $PAUSES = list_of(
    object(
        { side => pattern(qr{home | lending}xms), until => $TIME, from => $TIME, reason => $TEXT },
        qw( side until )
    )
);
my $COUNTS  = list_of( object( { outcome => $CODE, count => number() }, qw( outcome count ) ) );
my $PATTERN = text( 200, 1 );
my $CARDS
    = list_of(
    object( { name => $TEXT, patterns => list_of($PATTERN), examples => list_of( text( 32, 1 ) ) }, 'name' )
    );
my $EVENT = object(
    {   event_id   => sub { return is_id( $_[0] ) ? "$_[0]" : undef },
        outcome    => $CODE,
        updated_at => $TIME,
        reasons    => list_of($CODE),
        homes      => list_of( \&_library ),
        libraries  => list_of( \&_library ),
        observed   => object( { category => $TEXT } ),
        problem    => object( { library  => $TEXT, what => pattern(qr{[a-z_]{1,40}}xms), name => $TEXT } ),
    },
    qw( event_id outcome )
);
my $FAILURES = list_of($EVENT);

my $FINDINGS = list_of(
    object(
        { patron_id => number(), finding => $CODE, since => $TIME, new => sub { return $_[0] ? 1 : 0 } },
        qw( patron_id finding since )
    )
);

our @EXPORT_OK = qw( ended_event service_status );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Status - how the service is for this library, as the receiver says

=head1 FUNCTIONS

=head2 service_status

    my $service = service_status( $settings, $now, $limit_s );

The status with the outcomes of today, in this server's time zone (L<Koha::Plugin::Org::PatronPassport::Sender/status>); C<< { kind =>
'incomplete' } >> without settings to request it with. It is never an exception, and takes C<$limit_s> (2.5 seconds, where it is not given) at most.

=cut

sub service_status {
    my ( $settings, $now, $limit_s ) = @_;

    return { kind => 'incomplete' } if !$settings->is_complete;

    return Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->status( _midnight($now), $limit_s // $STATUS_LIMIT_S, \&_status );
}

=head2 ended_event

    my $event = ended_event($state) or ...;

What a page may rely on of the state of an event that has ended, as of a failure in the status; undef of any other.

=cut

sub ended_event {
    my ($state) = @_;

    return ( $state->{state} // q{} ) =~ m{\A (?: done | failed ) \z}xms ? $EVENT->($state) : undef;
}

# The last one, by this server's clock.
sub _midnight {
    my ($now) = @_;

    my ( undef, undef, undef, $day, $month, $year ) = localtime $now;

    return mktime( 0, 0, 0, $day, $month, $year, 0, 0, -1 );
}

# What a page may rely on: every field is there and of its kind, lists and texts are no longer than a page can show, and nothing else
# is left. undef for what is no status.
sub _status {
    my ($json) = @_;

    my $checked_at = $TIME->( $json->{checked_at} );
    my ( $library, $workers, $events, $outcomes, $needs, $findings )
        = map { ref $json->{$_} eq 'HASH' ? $json->{$_} : {} }
        qw( library workers events outcomes needs findings );
    return if !is_id( $library->{id} ) || !$checked_at;

    return {
        library    => scalar _library($library),
        checked_at => $checked_at,
        version    => $TEXT->( $json->{version} ),
        workers    =>
            { alive => $workers->{alive} ? 1 : 0, versions => list_of($TEXT)->( $workers->{versions} ) },
        pauses   => $PAUSES->( $json->{pauses} ),
        planned  => $PAUSES->( $json->{planned} ),
        events   => { map { $_ => number()->( $events->{$_} ) // 0 } qw( queued working waiting failed ) },
        since    => $TIME->( $outcomes->{since} ),
        counts   => $COUNTS->( $outcomes->{counts} ),
        failures => $FAILURES->( $json->{failures} ),
        findings =>
            { open => number()->( $findings->{open} ) // 0, listed => $FINDINGS->( $findings->{listed} ) },
        needs => {
            observes    => ( $needs->{mode} // q{} ) eq 'observe' ? 1 : 0,
            categories  => list_of($TEXT)->( $needs->{categories} ),
            branch      => $TEXT->( $needs->{branch} ),
            passport    => $TEXT->( $needs->{passport_attribute} ),
            home_key    => $TEXT->( $needs->{home_key_attribute} ),
            seen_copies => $needs->{seen_copies} ? 1 : 0,
            cards       => $CARDS->( $needs->{cards} ),

            # of very many the service says nothing
            has_cards => ref $needs->{cards} eq 'ARRAY' ? 1 : 0,
        },
    };
}

sub _library {
    my ($value) = @_;

    my $library = object( { id => $TEXT, name => $TEXT }, 'id' )->($value) or return;
    $library->{name} //= $library->{id};

    return $library;
}

1;

package Koha::Plugin::Org::PatronPassport::StatusAnswer;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::ReceiverAnswer qw( is_id );

my $LONGEST_TEXT = 200;
my $MOST         = 50;

our @EXPORT_OK = qw( cleaned_status );

=head1 NAME

Koha::Plugin::Org::PatronPassport::StatusAnswer - the receiver's word on how the service is for this library, as far as it is believed

=head1 FUNCTIONS

=head2 cleaned_status

    my $status = cleaned_status($json);

What a page may rely on: every field is there and of its kind, lists and texts are no longer than a page can show, and nothing else
is left. undef for what is no status.

=cut

sub cleaned_status {
    my ($json) = @_;

    return
        if ref $json ne 'HASH' || !is_id( _hash( $json->{library} )->{id} ) || !_time( $json->{checked_at} );

    my ( $workers, $events, $outcomes ) = map { _hash( $json->{$_} ) } qw( workers events outcomes );

    return {
        library    => _library( $json->{library} ),
        checked_at => _time( $json->{checked_at} ),
        version    => _text( $json->{version} ),
        workers => { alive => $workers->{alive} ? 1 : 0, versions => _list( $workers->{versions}, \&_text ) },
        pauses  => _list( $json->{pauses},  \&_pause ),
        planned => _list( $json->{planned}, \&_pause ),
        events  => { map { $_ => _count( $events->{$_} ) // 0 } qw( queued working waiting failed ) },
        since   => _time( $outcomes->{since} ),
        counts   => _list( $outcomes->{counts}, \&_outcome ),
        failures => _list( $json->{failures},   \&_failure ),
        needs    => _needs( _hash( $json->{needs} ) ),
    };
}

sub _pause {
    my ($value) = @_;

    my $pause  = _hash($value);
    my $until  = _time( $pause->{until} )                                    or return;
    my ($side) = ( $pause->{side} // q{} ) =~ m{\A ( home | lending ) \z}xms or return;

    return {
        side   => $side,
        until  => $until,
        from   => _time( $pause->{from} ),
        reason => _text( $pause->{reason} )
    };
}

sub _outcome {
    my ($value) = @_;

    my $row   = _hash($value);
    my $code  = _code( $row->{outcome} ) or return;
    my $count = _count( $row->{count} )  or return;

    return { outcome => $code, count => $count };
}

sub _failure {
    my ($value) = @_;

    my $event = _hash($value);
    my $code  = _code( $event->{outcome} ) or return;
    return if !is_id( $event->{event_id} );

    return {
        event_id   => "$event->{event_id}",
        outcome    => $code,
        updated_at => _time( $event->{updated_at} ),
        reasons    => _list( $event->{reasons},   \&_code ),
        homes      => _list( $event->{homes},     \&_library ),
        libraries  => _list( $event->{libraries}, \&_library ),
        problem    => ref $event->{problem} eq 'HASH' ? _problem( $event->{problem} ) : undef,
    };
}

sub _problem {
    my ($problem) = @_;

    my ($what) = ( $problem->{what} // q{} ) =~ m{\A ( [a-z_]{1,40} ) \z}xms;

    return { library => _text( $problem->{library} ), what => $what, name => _text( $problem->{name} ) };
}

sub _needs {
    my ($needs) = @_;

    return {
        observes    => ( $needs->{mode} // q{} ) eq 'observe' ? 1 : 0,
        categories  => _list( $needs->{categories}, \&_text ),
        branch      => _text( $needs->{branch} ),
        passport    => _text( $needs->{passport_attribute} ),
        home_key    => _text( $needs->{home_key_attribute} ),
        seen_copies => $needs->{seen_copies} ? 1 : 0,
    };
}

sub _library {
    my ($value) = @_;

    my $library = _hash($value);
    my $id      = _text( $library->{id} );

    return defined $id ? { id => $id, name => _text( $library->{name} ) // $id } : undef;
}

sub _hash {
    my ($value) = @_;

    return ref $value eq 'HASH' ? $value : {};
}

sub _list {
    my ( $value, $item ) = @_;

    return [] if ref $value ne 'ARRAY';
    my $last = $#{$value} < $MOST ? $#{$value} : $MOST - 1;

    return [ grep {defined} map { scalar $item->($_) } @{$value}[ 0 .. $last ] ];
}

sub _text {
    my ($value) = @_;

    return defined $value && !ref $value && length $value ? substr "$value", 0, $LONGEST_TEXT : undef;
}

sub _code {
    my ($value) = @_;

    my ($code) = ( ref $value ? q{} : $value // q{} ) =~ m{\A ( [A-Z][A-Z_]{1,40} ) \z}xms;

    return $code;
}

sub _count {
    my ($value) = @_;

    return !ref $value && ( $value // q{} ) =~ m{\A [0-9]{1,12} \z}xms ? 0 + $value : undef;
}

sub _time {
    my ($value) = @_;

    my $form = qr{\d{4} - \d\d - \d\d T \d\d : \d\d : \d\d (?: [.] \d{1,9} )? Z}xms;
    my ($time) = ( ref $value ? q{} : $value // q{} ) =~ m{\A ( $form ) \z}xms;

    return $time;
}

1;

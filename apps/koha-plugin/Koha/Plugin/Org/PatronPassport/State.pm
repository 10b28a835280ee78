package Koha::Plugin::Org::PatronPassport::State;

use Modern::Perl;

use Encode     qw( encode );
use Exporter   qw( import );
use Mojo::JSON qw( from_json to_json );

# What may be known of an event at this library's desk, and nothing else: the shape is the service's, the list is ours.
my %SHAPE = (
    event_id    => \&_text,
    library     => \&_text,
    seq         => \&_number,
    state       => \&_text,
    outcome     => \&_text,
    reasons     => \&_texts,
    homes       => \&_libraries,
    patron_id   => \&_number,
    checkout    => sub { return _object( shift, result => \&_text, keys => \&_texts ) },
    waiting_for => sub {
        return _object( shift, library => \&_text, reason => \&_text, next_try_at => \&_text );
    },
    problem    => sub { return _object( shift, library => \&_text, what => \&_text, name => \&_text ) },
    consent    => \&_consent,
    observed   => sub { return _object( shift, category => \&_text ) },
    attempt    => \&_number,
    libraries  => \&_libraries,
    message    => \&_text,
    scanned_at => \&_text,
    updated_at => \&_text,
);

our @EXPORT_OK = qw( cleaned from_stored is_state_of to_stored );

=head1 NAME

Koha::Plugin::Org::PatronPassport::State - the state of an event, as far as this Koha keeps and shows it

=head1 FUNCTIONS

=head2 cleaned

    my $state = cleaned( \%reported );

Every field of the service's contract, undef (or an empty list) where nothing suitable was reported; whatever else was reported
is left out.

=cut

sub cleaned {
    my ($reported) = @_;

    return { map { $_ => $SHAPE{$_}->( $reported->{$_} ) } keys %SHAPE };
}

=head2 is_state_of

    if ( is_state_of( $reported, $event_id ) ) { ... }

True for a state of this event that can be kept.

=cut

sub is_state_of {
    my ( $state, $event_id ) = @_;

    return
           ref $state eq 'HASH'
        && ( $state->{event_id} // q{} ) eq $event_id
        && ( $state->{seq}      // q{} ) =~ m{\A [0-9]{1,15} \z}xms
        && ( $state->{state}    // q{} ) =~ m{\A (?: queued | working | waiting | done | failed ) \z}xms;
}

=head2 to_stored, from_stored

    my $text  = to_stored($state);
    my $state = from_stored($text);

A state as the database keeps it: JSON of ASCII alone, which is the same as bytes and as characters. DBD::mysql takes bytes
and, with the C<mysql_enable_utf8> that Koha sets (C<Koha::Database>), hands out characters; so JSON of before, which was
bytes when it went in, is read as the characters that come out.

=cut

sub to_stored {
    my ($state) = @_;

    return to_json($state) =~ s{ ([^\x{00}-\x{7f}]) }{ _escaped($1) }gexmsr;
}

sub from_stored {
    my ($text) = @_;

    return from_json($text);
}

sub _escaped {
    my ($character) = @_;

    return join q{}, map { sprintf '\\u%04x', $_ } unpack 'n*', encode( 'UTF-16BE', $character );
}

sub _text {
    my ($value) = @_;

    return defined $value && !ref $value ? substr( "$value", 0, 500 ) : undef;
}

# The library's own text, by language: longer than all else, and many at most.
sub _consent {
    my ($value) = @_;

    return undef if ref $value ne 'HASH' || ref $value->{texts} ne 'HASH';    ## no critic (ProhibitExplicitReturnUndef) a value of a hash
    my %texts = map { $_ => substr $value->{texts}{$_}, 0, 2000 }
        grep { m{\A [A-Za-z0-9-]{1,35} \z}xms && !ref $value->{texts}{$_} && defined $value->{texts}{$_} }
        ( sort keys %{ $value->{texts} } )[ 0 .. _last_of( scalar keys %{ $value->{texts} }, 20 ) ];

    return {
        text_id   => _text( $value->{text_id} ),
        answer_by => _text( $value->{answer_by} ),
        texts     => \%texts,
    };
}

sub _last_of {
    my ( $count, $most ) = @_;

    return ( $count < $most ? $count : $most ) - 1;
}

sub _number {
    my ($value) = @_;

    return !ref $value && ( $value // q{} ) =~ m{\A [0-9]{1,15} \z}xms ? 0 + $value : undef;
}

sub _texts {
    my ($value) = @_;

    return _list( $value, \&_text );
}

sub _libraries {
    my ($value) = @_;

    return _list( $value, sub { return _object( shift, id => \&_text, name => \&_text ) } );
}

sub _list {
    my ( $value, $item ) = @_;

    return [] if ref $value ne 'ARRAY';
    my $last = $#{$value} < 49 ? $#{$value} : 49;

    return [ grep {defined} map { $item->($_) } @{$value}[ 0 .. $last ] ];
}

sub _object {
    my ( $value, %shape ) = @_;

    return undef if ref $value ne 'HASH';    ## no critic (ProhibitExplicitReturnUndef) a value of a hash
    return { map { $_ => $shape{$_}->( $value->{$_} ) } keys %shape };
}

1;

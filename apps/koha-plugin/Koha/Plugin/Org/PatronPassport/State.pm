package Koha::Plugin::Org::PatronPassport::State;

use Modern::Perl;

use Encode     qw( encode );
use Exporter   qw( import );
use List::Util qw( head );
use Mojo::JSON qw( from_json to_json );

use Koha::Plugin::Org::PatronPassport::Shape qw( list_of number object text );

my $TEXT      = text(500);
my $LIBRARIES = list_of( object( { id => $TEXT, name => $TEXT } ) );

# What may be known of an event at this library's desk, and nothing else: the shape is the service's, the list is ours.
my $STATE = object(
    {   event_id    => $TEXT,
        library     => $TEXT,
        seq         => number(),
        state       => $TEXT,
        outcome     => $TEXT,
        reasons     => list_of($TEXT),
        homes       => $LIBRARIES,
        patron_id   => number(),
        checkout    => object( { result => $TEXT, keys => list_of($TEXT) } ),
        waiting_for => object( { map { $_ => $TEXT } qw( library reason next_try_at gives_up_at checkout_by ) } ),
        problem     => object( { map { $_ => $TEXT } qw( library what name ) } ),
        consent     => object( { text_id  => $TEXT, answer_by => $TEXT, texts => \&_translations }, 'texts' ),
        asks        => object( { question => $TEXT, options => list_of($TEXT), answer_by => $TEXT }, 'question' ),
        observed    => object( { category => $TEXT } ),
        attempt     => number(),
        libraries   => $LIBRARIES,
        message     => $TEXT,
        scanned_at  => $TEXT,
        updated_at  => $TEXT,
    }
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

    return $STATE->($reported);
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
and, with the C<mysql_enable_utf8> that Koha sets (C<Koha::Database>), hands out characters.

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

# The library's own text, by language: longer than all else, and many at most.
sub _translations {
    my ($value) = @_;

    return if ref $value ne 'HASH';

    my @languages = grep {m{\A [A-Za-z0-9-]{1,35} \z}xms} head 20, sort keys %{$value};
    my %texts     = map  { $_ => text(2000)->( $value->{$_} ) } @languages;

    return { map { $_ => $texts{$_} } grep { defined $texts{$_} } keys %texts };
}

1;

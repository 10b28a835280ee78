package Koha::Plugin::Org::PatronPassport::Shape;

use Modern::Perl;

use Exporter   qw( import );
use List::Util qw( all head );

my $LONGEST_LIST = 50;

our @EXPORT_OK = qw( is_id list_of number object pattern text );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Shape - what is believed of the service's JSON

=head1 DESCRIPTION

Each function but C<is_id> returns a function of one value, which returns what of the value has the expected shape, and undef
for anything else.

=head1 FUNCTIONS

=head2 text

    my $name = text( 500, 1 )->($value);

A text of at least so many characters (0), cut after the first 500.

=cut

sub text {
    my ( $most, $least ) = @_;

    return sub {
        my ($value) = @_;
        my $is_text = defined $value && !ref $value && length $value >= ( $least // 0 );
        return $is_text ? substr( "$value", 0, $most ) : undef;
    };
}

=head2 pattern

    my $code = pattern(qr{[A-Z_]{1,40}}xms)->($value);

A text that is all of this form.

=cut

sub pattern {
    my ($form) = @_;

    return sub {
        my ($value) = @_;
        return !ref $value && ( $value // q{} ) =~ m{\A (?: $form ) \z}xms ? "$value" : undef;
    };
}

=head2 number

    my $count = number()->($value);

A whole number, not below 0.

=cut

sub number {
    my $digits = pattern(qr{[0-9]{1,15}}xms);

    return sub {
        my $value = $digits->(@_);
        return defined $value ? 0 + $value : undef;
    };
}

=head2 is_id

    if ( is_id($value) ) { ... }

True for what can be an event's id.

=cut

sub is_id {
    my ($value) = @_;

    return defined pattern(qr{[A-Za-z0-9_-]{1,128}}xms)->($value);
}

=head2 list_of

    my $names = list_of( text(500) )->($value);

The first 50 of a list, without those that are not of this shape; an empty list for anything else.

=cut

sub list_of {
    my ($item) = @_;

    return sub {
        my ($value) = @_;
        return [] if ref $value ne 'ARRAY';
        return [ grep {defined} map { scalar $item->($_) } head $LONGEST_LIST, @{$value} ];
    };
}

=head2 object

    my $library = object( { id => text(500), name => text(500) }, 'id' )->($value);

These fields of an object, each as far as it is of its shape. Those that are named after the shape have to be there, and of
their shape.

=cut

sub object {
    my ( $shape, @required ) = @_;

    return sub {
        my ($value)   = @_;
        my $is_object = ref $value eq 'HASH';
        my %clean     = map { $_ => scalar $shape->{$_}->( $value->{$_} ) } $is_object ? keys %{$shape} : ();
        return $is_object && ( all { defined $clean{$_} } @required ) ? \%clean : undef;
    };
}

1;

package Koha::Plugin::Org::PatronPassport::OutcomeWords;

use Modern::Perl;

use Exporter qw( import );

use Koha::Plugin::Org::PatronPassport::PageWords qw( filled );

# "A, B and C", as Intl.ListFormat makes it for the desk's panel: before the last of two, and of more.
my %AND = (
    en => [ ' and ', ', and ' ],
    fr => [ ' et ',  ' et ' ],
    es => [ ' y ',   ' y ' ],
    de => [ ' und ', ' und ' ],
);

our @EXPORT_OK = qw( new_words );

=head1 NAME

Koha::Plugin::Org::PatronPassport::OutcomeWords - outcomes in the words of the desk's panel, on a page that needs no script

=head1 METHODS

=head2 new_words

    my $outcomes = new_words( { language => 'de', desk => \%messages, page => \%words } );

C<desk> and C<page> are the texts of desk/messages.json and of tool.json in this language.

=cut

sub new_words {
    my ($with) = @_;

    return bless { %{$with} }, __PACKAGE__;
}

=head2 counted

    my $text = $outcomes->counted( 'COPIED', $library_name );

What several events that ended so have in common.

=cut

sub counted {
    my ( $self, $code, $library ) = @_;

    my ( $desk, $page ) = @{$self}{qw( desk page )};
    my $text = $page->{"count_$code"} // $desk->{"here.$code"} // $desk->{"outcome.$code"}
        // $desk->{'outcome.other'};

    return _sentence( $text, { library => $library } );
}

=head2 sentence

    my $text = $outcomes->sentence( $failure, $library_id );

What the desk's panel said of an event of this library that failed, and what is wrong where that is known.

=cut

sub sentence {
    my ( $self, $event, $here ) = @_;

    my $desk    = $self->{desk};
    my $key     = "outcome.$event->{outcome}";
    my $special = _is_paused($event) ? 'PAUSED' : ( $event->{problem} // {} )->{what} // q{};
    my $text    = $self->{page}{$key} // $desk->{"$key.$special"} // $desk->{"$key.bare"} // $desk->{$key}
        // $desk->{'outcome.other'};
    my @homes   = map { $_->{name} } @{ $event->{homes} };
    my $homes   = @homes ? _listed( $self->{language}, @homes ) : $desk->{'home.unknown'};
    my $problem = $event->{problem};
    my $library = _name( $event, $problem ? $problem->{library} : $here );
    my $said    = _sentence( $text, { home => $homes, homes => $homes, library => $library } );

    return $said if !$problem;

    my $what = $desk->{ 'problem.' . ( $problem->{what} // 'other' ) } // $desk->{'problem.other'};
    $what .= " ($problem->{name})" if defined $problem->{name};

    return "$said $library: $what.";
}

=head2 remedy

    my $text = $outcomes->remedy( $failure, $library_id );

What the library's staff do about it.

=cut

sub remedy {
    my ( $self, $event, $here ) = @_;

    my $page    = $self->{page};
    my $problem = $event->{problem};
    return filled( $page, { key => 'fix_elsewhere', library => _name( $event, $problem->{library} ) } )
        if $problem && ( $problem->{library} // q{} ) ne $here;
    return filled( $page, { key => $page->{"fix_$problem->{what}"} ? "fix_$problem->{what}" : 'fix_other' } )
        if $problem && defined $problem->{what};

    my $code = $event->{outcome};

    return ( _is_paused($event) ? $page->{fix_PAUSED} : undef ) // $page->{"fix_$code"} // $page->{fix_other};
}

sub _listed {
    my ( $language, @names ) = @_;

    my $last = pop @names // q{};
    return $last if !@names;

    return join( q{, }, @names ) . $AND{$language}[ @names > 1 ? 1 : 0 ] . $last;
}

sub _is_paused {
    my ($event) = @_;

    return grep { $_ eq 'PAUSED' } @{ $event->{reasons} };
}

sub _name {
    my ( $event, $id ) = @_;

    my ($known) = grep { $_->{id} eq ( $id // q{} ) } @{ $event->{homes} }, @{ $event->{libraries} };

    return $known ? $known->{name} : $id // q{};
}

# A blank at its beginning can be filled with what begins with a small letter.
sub _sentence {
    my ( $text, $values ) = @_;

    return ucfirst filled( { text => $text }, { %{$values}, key => 'text' } );
}

1;

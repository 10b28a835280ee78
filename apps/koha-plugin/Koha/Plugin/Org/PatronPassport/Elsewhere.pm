package Koha::Plugin::Org::PatronPassport::Elsewhere;

use Modern::Perl;

use Exporter qw( import );
use C4::Languages;

use Koha::Plugin::Org::PatronPassport::PageWords qw( filled page_words );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Shape      qw( is_id list_of number object pattern text );
use Koha::Plugin::Org::PatronPassport::StatusPage qw( seconds_of shown_time );
use Koha::Plugin::Org::PatronPassport::User       qw( current_user may_see );

# A page that somebody opened waits so long at most.
my $LIMIT_S = 2.5;
my $CENTS   = 100;

my $TEXT   = text( 200, 1 );
my $TIME   = pattern(qr{\d{4} - \d\d - \d\d T \d\d : \d\d : \d\d (?: [.] \d{1,9} )? Z}xms);
my $COPIES = list_of(
    object(
        {   library        => object( { id => $TEXT, name => $TEXT }, qw( id name ) ),
            since          => $TIME,
            last_passed_on => $TIME,
            fields         => list_of( pattern(qr{[a-z_0-9]{1,64}}xms) ),
            owed           => object(
                { overdues => number(), amount => number(), read_at => $TIME },
                qw( overdues amount )
            ),
        },
        'library'
    )
);

our @EXPORT_OK = qw( elsewhere_page link_on );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Elsewhere - who has a patron's data, for the desk of the home library

=head1 DESCRIPTION

Koha's page of a patron (members/moremember.pl) has a link to the tool page, which says where the patron has copies. Whoever may use it needs
the permission C<< { plugins => 'tool' } >>, which plugins/run.pl requires, C<< { borrowers => 'edit_borrowers' } >>, which the patron's page
requires, and has to be allowed to see this patron (C<can_see_patron_infos> of Koha::Patron). The page only reads.

=head1 FUNCTIONS

=head2 link_on

    my $html = link_on( $plugin, $page );

The link, on the page of a patron and for whoever may follow it; undef on any other page, which costs no query. C<$page> is the path that a
newer Koha passes to the hook; an older one leaves it in the environment.

=cut

sub link_on {
    my ( $plugin, $page ) = @_;

    $page //= $ENV{SCRIPT_NAME} // q{};
    return if $page !~ m{ /members/moremember[.]pl \z}xms;
    my ($number)
        = ( $ENV{QUERY_STRING} // q{} )
        =~ m{ (?: \A | [&;] ) borrowernumber= ([1-9]\d{0,9}) (?: [&;] | \z ) }xms;
    return if !defined $number || !_may_use_tools() || !$plugin->settings->is_complete;

    my ( undef, $words )
        = page_words( $plugin->bundle_path, C4::Languages::getlanguage(), 'tool.json' );
    my $address = "/cgi-bin/koha/plugins/run.pl?class=$plugin->{class}&amp;method=tool&amp;patron=$number";

    return qq{<a id="passport-elsewhere" class="btn btn-default" href="$address">$words->{elsewhere}</a>\n};
}

sub _may_use_tools {
    my $user = current_user() or return 0;

    return $user->has_permission( { plugins => 'tool', borrowers => 'edit_borrowers' } ) ? 1 : 0;
}

=head2 elsewhere_page

    my $params = elsewhere_page( $plugin, $borrowernumber );

What the template shows (L<Koha::Plugin::Org::PatronPassport::StatusPage/status_page>). A patron whom this user may not see, and one who is not
there, are the same.

=cut

sub elsewhere_page {
    my ( $plugin, $number ) = @_;

    my @wanted = ( $plugin->bundle_path, C4::Languages::getlanguage( $plugin->{cgi} ) );
    my ( $language, $words )  = page_words( @wanted, 'tool.json' );
    my ( undef,     $common ) = page_words( @wanted, 'configure.json' );

    my $answer = _may_see($number) ? _look( $plugin->settings, $number ) : { kind => 'hidden' };
    my %page   = (
        language => $language,
        words    => { %{$words}, title => $words->{elsewhere} },
        common   => $common,
        version  => $plugin->get_metadata->{version},
        number   => $number,
        kind     => $answer->{kind},
        copies   => [ map { _shown( $_, $words ) } @{ ( $answer->{patron} // {} )->{copies} // [] } ],
    );

    return { passport => \%page };
}

sub _may_see {
    my ($number) = @_;

    return 0 if $number !~ m{\A [1-9]\d{0,9} \z}xmsa || !_may_use_tools();

    return may_see($number);
}

sub _look {
    my ( $settings, $number ) = @_;

    return { kind => 'incomplete' } if !$settings->is_complete;
    my $reliable = sub {
        my ($json) = @_;
        return if ( number()->( $json->{patron_id} ) // 0 ) != $number || ref $json->{copies} ne 'ARRAY';
        return { copies => $COPIES->( $json->{copies} ) };
    };

    return Koha::Plugin::Org::PatronPassport::Sender->new($settings)
        ->elsewhere( $number, $LIMIT_S, $reliable );
}

sub _shown {
    my ( $copy, $words ) = @_;

    my $day  = sub { return shown_time( seconds_of( $_[0] ) )->{day} || $words->{elsewhere_unknown} };
    my $owed = $copy->{owed};

    return {
        library => $copy->{library}{name},
        since   => $day->( $copy->{since} ),
        passed  => $day->( $copy->{last_passed_on} ),
        fields  => join( q{, }, @{ $copy->{fields} // [] } ),
        owed    => $owed
        ? filled(
            $words,
            {   key      => 'elsewhere_owes',
                overdues => $owed->{overdues},
                amount   => sprintf( '%.2f', $owed->{amount} / $CENTS ),
                day      => $day->( $owed->{read_at} ),
            }
            )
        : q{},
    };
}

1;

package Koha::Plugin::Org::PatronPassport::StatusPage;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use C4::Languages;
use List::Util  qw( any );
use Mojo::Date  ();
use POSIX       qw( strftime );
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Form         qw( csrf_token posted_op );
use Koha::Plugin::Org::PatronPassport::JoinRecord   qw( settle );
use Koha::Plugin::Org::PatronPassport::KohaFacts    qw( koha_facts );
use Koha::Plugin::Org::PatronPassport::OutcomeWords qw( new_words );
use Koha::Plugin::Org::PatronPassport::PageWords    qw( filled page_words shown_check );
use Koha::Plugin::Org::PatronPassport::SetupCheck   qw( setup_checks );
use Koha::Plugin::Org::PatronPassport::Status       qw( service_status );
use Koha::Plugin::Org::PatronPassport::TestCard     qw( follow_card may_test try_card );

# As Koha shows dates (system preference dateformat).
my %DATE = ( us => '%m/%d/%Y', metric => '%d/%m/%Y', dmydot => '%d.%m.%Y', iso => '%Y-%m-%d' );

my %HEADLINE = ( incomplete => 'up_incomplete', unreachable => 'up_unreachable', refused => 'up_refused' );

our @EXPORT_OK = qw( seconds_of shown_time status_page );

=head1 NAME

Koha::Plugin::Org::PatronPassport::StatusPage - the tool page: how the service is for this library

=head1 DESCRIPTION

Koha runs a plugin's C<tool> for whoever may use tool plugins: plugins/run.pl takes C<class> and C<method> and requires the permission
C<< { plugins => $method } >> before Koha::Plugins::Handler calls the method; the list of plugins offers it as I<Run tool>
(koha-tmpl/.../plugins/plugins-home.tt, with C<CAN_user_plugins_tool>; since 26.05 its Vue component, with the same address).

Its one form tries a card (L<Koha::Plugin::Org::PatronPassport::TestCard>: C<cud-card>, and C<cud-look> for one that takes longer), with the token that
Koha requires of a C<cud-> operation (Koha::Middleware::CSRF since 24.05).

=head1 FUNCTIONS

=head2 status_page

    my $params = status_page($plugin);

What the template shows, all of it under the one name C<passport>, in the language of the page
(L<Koha::Plugin::Org::PatronPassport::Configuration/page>).

=cut

sub status_page {
    my ($plugin) = @_;

    my @wanted = ( $plugin->bundle_path, C4::Languages::getlanguage( $plugin->{cgi} ) );
    my ( $language, $words )  = page_words( @wanted, 'tool.json' );
    my ( undef,     $common ) = page_words( @wanted, 'configure.json' );
    my ( undef,     $desk )   = page_words( @wanted, 'desk/messages.json' );
    settle($plugin);
    my $settings = $plugin->settings;
    my $outcomes = new_words( { language => $language, desk => $desk, page => $words } );
    my $card     = _card( $plugin, $words, $outcomes, $desk );
    my $now      = Time::HiRes::time();
    my $is_on    = $plugin->is_enabled;
    my $service  = service_status( $settings, $now );
    my $seen     = { settings => $settings, service => $service, facts => koha_facts($plugin), now => $now };
    my $status   = $service->{kind} eq 'known' ? $service->{status} : undef;

    my %page = (
        language => $language,
        words    => $words,
        common   => $common,
        version  => $plugin->get_metadata->{version},
        now      => shown_time($now),
        headline => $is_on
        ? _headline( $service, $words, $common )
        : { tone => 'bad', text => $words->{up_disabled}, why => q{} },
        setup_error => $plugin->{setup_error},
        csrf_token  => $plugin->{cgi} ? csrf_token( $plugin->{cgi} ) : undef,
        may_test    => $is_on && $settings->is_complete && may_test(),
        card        => $card,
        checks      => [ map { shown_check( $_, $words ) } setup_checks($seen) ],
        $status ? ( status => _status( $status, $outcomes, $words ) ) : (),
    );

    return { passport => \%page };
}

# What became of a card that was tried: the words of the desk's panel, where there are any.
sub _card {
    my ( $plugin, $words, $outcomes, $desk ) = @_;

    my $cgi = $plugin->{cgi} or return;
    my $op  = posted_op($cgi) // return { tone => 'bad', text => $words->{card_csrf} };
    my $answer
        = $op eq 'cud-card' ? try_card( $plugin, scalar $cgi->param('card') )
        : $op eq 'cud-look' ? follow_card( $plugin, scalar $cgi->param('event') )
        :                     return;

    my $kind = $answer->{kind};
    return { tone => 'warn', text => $words->{"card_$kind"}, event_id => $answer->{event_id} }
        if $kind ne 'ended';

    my $event = $answer->{event};
    my $is_ok = $event->{outcome} =~ m{\A (?: OBSERVED | ALREADY_LOCAL ) \z}xms;

    return {
        tone     => $is_ok ? 'good' : 'warn',
        outcome  => $event->{outcome},
        event_id => $event->{event_id},
        is_ended => 1,
        text     => $outcomes->sentence(
            {   %{$event},
                observed => undef,
                outcome  => $event->{outcome} eq 'OBSERVED' ? 'TESTED' : $event->{outcome}
            },
            $plugin->settings->{library}
        ),
        reasons => [ grep {defined} map { $desk->{"reason.$_"} } @{ $event->{reasons} } ],
    };
}

sub _headline {
    my ( $service, $words, $common ) = @_;

    my ( $tone,    $key ) = _tone_and_words($service);
    my ( $is_down, $why ) = ( $service->{kind} eq 'unreachable', $service->{why} // q{} );
    my $reason
        = $why eq 'refused' ? 'test_nobody' : exists $common->{"test_$why"} ? "test_$why" : 'test_broken';

    return {
        tone => $tone,
        text => $words->{$key},
        why  => $is_down ? filled( $common, { key => $reason, ms => $service->{ms} } ) : q{}
    };
}

# Of several things that could be said, what keeps scans from being processed goes first.
sub _tone_and_words {
    my ($service) = @_;

    my ( $kind, $status ) = @{$service}{qw( kind status )};
    return ( bad  => 'up_not_answered' ) if $kind eq 'refused' && $status != 401;
    return ( bad  => $HEADLINE{$kind} )  if $kind ne 'known';
    return ( bad  => 'up_no_worker' )    if !$status->{workers}{alive};
    return ( warn => 'up_paused' )       if any { $_->{side} eq 'lending' } @{ $status->{pauses} };
    return ( warn => 'up_observes' )     if $status->{needs}{observes};
    return ( good => 'up' );
}

sub _status {
    my ( $status, $outcomes, $words ) = @_;

    my $library = $status->{library};
    my $total   = 0;
    $total += $_->{count} foreach @{ $status->{counts} };

    return {
        library => $library->{name},
        events  => $status->{events},
        pauses  => [ map { _pause( 'pause',   $_, $words ) } @{ $status->{pauses} } ],
        planned => [ map { _pause( 'planned', $_, $words ) } @{ $status->{planned} } ],
        total   => $total,
        counts  => [
            map  { +{ %{$_}, text => $outcomes->counted( $_->{outcome}, $library->{name} ) } }
            sort { $b->{count} <=> $a->{count} } @{ $status->{counts} }
        ],
        failures => [
            map {
                +{  %{$_},
                    at     => shown_time( seconds_of( $_->{updated_at} ) ),
                    text   => $outcomes->sentence( $_, $library->{id} ),
                    remedy => $outcomes->remedy( $_, $library->{id} ),
                }
            } @{ $status->{failures} }
        ],
        findings => {
            open   => $status->{findings}{open},
            listed => [
                map {
                    +{  %{$_},
                        since => shown_time( seconds_of( $_->{since} ) ),
                        text  => $words->{"finding_$_->{finding}"} // $_->{finding},
                    }
                } @{ $status->{findings}{listed} }
            ],
        },
    };
}

sub _pause {
    my ( $kind, $pause, $words ) = @_;

    my %at = map { $_ => shown_time( seconds_of( $pause->{$_} ) )->{text} } qw( from until );

    return filled( $words, { key => "${kind}_$pause->{side}", reason => $pause->{reason}, %at } );
}

=head2 shown_time, seconds_of

    my $shown = shown_time( seconds_of('2026-11-25T23:30:00.000Z') );

C<text>, C<day> and C<iso> of a time, all of them empty where it is not known: in this server's time zone, which is that of Koha's pages.

=cut

sub seconds_of {
    my ($time) = @_;

    return defined $time ? Mojo::Date->new($time)->epoch : undef;
}

sub shown_time {
    my ($seconds) = @_;

    return { text => q{}, day => q{}, iso => q{} } if !defined $seconds;
    my $date = $DATE{ C4::Context->preference('dateformat') // q{} } // $DATE{iso};
    my $time = ( C4::Context->preference('TimeFormat')      // q{} ) eq '12hr' ? '%I:%M %p' : '%H:%M';

    return {
        text => strftime( "$date $time",        localtime $seconds ),
        day  => strftime( $date,                localtime $seconds ),
        iso  => strftime( '%Y-%m-%dT%H:%M:%SZ', gmtime $seconds ),
    };
}

1;

package Koha::Plugin::Org::PatronPassport::Configuration;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use C4::Languages;
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Form         qw( csrf_token posted_op );
use Koha::Plugin::Org::PatronPassport::Join         qw( join_page );
use Koha::Plugin::Org::PatronPassport::JoinRecord   qw( disconnect take_back );
use Koha::Plugin::Org::PatronPassport::KohaFacts    qw( koha_facts users_with_keys );
use Koha::Plugin::Org::PatronPassport::PageWords    qw( filled page_words shown_check );
use Koha::Plugin::Org::PatronPassport::PartnerCards qw( take_over );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Settings;
use Koha::Plugin::Org::PatronPassport::Setup      qw( home_key_type );
use Koha::Plugin::Org::PatronPassport::SetupCheck qw( setup_checks );
use Koha::Plugin::Org::PatronPassport::SetupPlan  qw( assumed_needs carry_out setup_plan );
use Koha::Plugin::Org::PatronPassport::Status     qw( service_status );

my @FIELDS
    = qw( receiver_url library staff_wait self_check_wait card_patterns cards_followed staff self_check sip copies service_user
    tell_patrons );

# A test waits longer than a page would, and says so
my $TEST_LIMIT_S  = 5;
my $PAGE_LIMIT_MS = 500;

# About the link and the request: their blanks are what the link says.
my @JOIN_SENTENCES
    = qw( join_branches join_confirm join_connected join_made join_next join_sealed_what join_send join_sent join_unsure join_used );

our @EXPORT_OK = qw( page );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Configuration - the configuration page

=head1 FUNCTIONS

=head2 page

    my $params = page($plugin);

Carries out the operation of the page (C<cud-save>, C<cud-test>, C<cud-cards>, C<cud-setup>, and those of
L<Koha::Plugin::Org::PatronPassport::Join>) and returns what the template shows, all of it under the one
name C<passport>, in the language of the page: every page of Koha has variables of Koha's own, among them one called C<test> that is always true
(C4::Templates, C<new>). A secret goes in and never comes out; those that C<cud-setup> makes are on the one page that answers it.

=cut

sub page {
    my ($plugin) = @_;

    my $cgi = $plugin->{cgi};
    my ( $language, $words )
        = page_words( $plugin->bundle_path, C4::Languages::getlanguage($cgi), 'configure.json' );
    my $op    = posted_op($cgi);
    my %shown = ( csrf_token => csrf_token($cgi), version => $plugin->get_metadata->{version} );
    $shown{csrf_fault} = 1 if !defined $op;
    $op //= q{};

    my %entered;
    if ( $op eq 'cud-save' ) {
        %entered = map { $_ => scalar $cgi->param($_) } @FIELDS, qw( secret forget_secret );
        my ( $values, $faults ) = Koha::Plugin::Org::PatronPassport::Settings->checked( \%entered );
        if ( %{$faults} ) {
            $shown{faults} = { map { $_ => filled( $words, $faults->{$_} ) } keys %{$faults} };
        }
        else {
            my $question = _ended_by( $plugin, $values );
            if ($question) {
                $shown{question}
                    = { %{$question}, say => filled( $words, { %{$question}, key => 'join_used' } ) };
            }
            else {
                $plugin->store_data($values);
                $shown{saved} = 1;
                %entered = ();
            }
        }
    }

    if ( $op eq 'cud-cards' ) {
        $plugin->store_data( { cards_followed => 1 } );
        my $answer = take_over($plugin);
        $shown{cards}
            = $answer->{kind} eq 'known' && $answer->{status}{needs}{has_cards} ? 'taken' : 'not_taken';
    }

    %shown = ( %shown, _set_up( $plugin, $words ) ) if $op eq 'cud-setup';

    my $join     = $shown{csrf_fault} ? undef : join_page( $plugin, $op, sub { _plan($plugin) } );
    my $settings = $plugin->settings;
    $shown{test}          = _test($settings) if $op eq 'cud-test';
    $shown{$_}            = %entered ? $entered{$_} : $settings->{$_} foreach @FIELDS;
    $shown{forget_secret} = $entered{forget_secret};

    my %page = (
        %shown,
        language      => $language,
        words         => $words,
        common        => $words,
        secret_from   => $settings->{secret_from},
        secret_good   => defined $settings->key,
        is_complete   => $settings->is_complete,
        home_key_type => home_key_type( C4::Context->dbh ),
        users         => _users( $shown{service_user} ),
        setup_error   => $plugin->{setup_error},
        joining       => $join && _said_in( $words, $join ),
        $shown{csrf_fault} ? () : _checks( $plugin, $words ),
    );

    return { passport => \%page };
}

# Another address or id, by hand, is no request that waits, nor is one with another secret than was sealed. The question, where it has to be asked before.
sub _ended_by {
    my ( $plugin, $values ) = @_;

    my $cgi    = $plugin->{cgi};
    my $before = $plugin->settings;
    my $moves  = grep { $before->{$_} ne $values->{$_} } qw( receiver_url library );
    my $rekeys
        = $before->{join_waiting}
        && $before->{secret_from} ne 'koha-conf'
        && ( $values->{secret} // $before->{secret} ) ne $before->{secret};
    my $agreed = $cgi->param('join_client');
    return if !$moves && !$rekeys && !defined $agreed;

    my $question = disconnect( $plugin, $agreed ) ? undef : take_back($plugin);
    return $question
        if $question
        && ( $question->{is_waiting} || ( $cgi->param('join_keep') // q{} ) ne $question->{client_id} );

    # they are the request's, not a hand's: a link can be pasted again
    delete @{$values}{qw( receiver_url library )} if !$moves;

    return;
}

# What the set-up check finds now, and what the button would make of it.
sub _plan {
    my ($plugin) = @_;

    my $settings = $plugin->settings;
    my $now      = Time::HiRes::time();
    my $service  = service_status( $settings, $now );
    my %seen     = ( settings => $settings, service => $service, facts => koha_facts($plugin), now => $now );
    $seen{assumed} = assumed_needs() if $service->{kind} eq 'incomplete';

    return setup_plan( $plugin, \%seen, setup_checks( \%seen ) );
}

sub _checks {
    my ( $plugin, $words ) = @_;

    my ( undef, $check_words )
        = page_words( $plugin->bundle_path, C4::Languages::getlanguage( $plugin->{cgi} ), 'tool.json' );
    my @planned = _plan($plugin);
    my @steps   = map { @{ $_->{steps} } } @planned;

    return (
        check_words => $check_words,
        is_ready    => ( grep { $_->{level} ne 'ok' } @planned ) ? 0 : 1,
        can_make    => ( grep { !@{ $_->{lacks} } } @steps )     ? 1 : 0,
        checks      => [
            map {
                +{  %{ shown_check( $_, $check_words ) },
                    at    => $_->{at},
                    steps => [ map { _step( $_, $words ) } @{ $_->{steps} } ],
                }
            } @planned
        ],
    );
}

# Its sentences, with their blanks filled.
sub _said_in {
    my ( $words, $join ) = @_;

    my %said   = map { $_ => filled( $words, $join->{$_} ) } grep { $join->{$_} } qw( fault hindered );
    my $faults = $join->{faults} // {};

    return {
        %{$join}, %said,
        faults => { map { $_ => filled( $words, $faults->{$_} ) } keys %{$faults} },
        say    => { map { $_ => filled( $words, { %{$join}, key => $_ } ) } @JOIN_SENTENCES },
    };
}

sub _step {
    my ( $step, $words ) = @_;

    my $lacks = join q{; }, @{ $step->{lacks} };

    return {
        id      => $step->{id},
        choices => $step->{choices},

        # what is about somebody who is there already is for a hand to tick
        is_ticked => !$step->{choices} && !defined $step->{number},
        text      => filled( $words, $step->{say} ),
        lacks     => $lacks && filled( $words, { key => 'plan_lacks', permissions => $lacks } ),
    };
}

# The plan is made anew: what was ticked and is not in it any more is not made.
sub _set_up {
    my ( $plugin, $words ) = @_;

    my $cgi     = $plugin->{cgi};
    my %wanted  = map { $_ => 1 } $cgi->multi_param('step');
    my %chosen  = map { $_ => scalar $cgi->param("choice_$_") } keys %wanted;
    my @planned = _plan($plugin);
    my ( $done, $once ) = carry_out( \@planned, \%wanted, \%chosen );

    return (
        is_set_up => 1,
        done      => [ map { +{ ok => $_->{ok}, text => filled( $words, $_->{say} ) } } @{$done} ],
        once      => $once,
    );
}

# Who may be the service's: whoever has an active API key, and whoever it is by now.
sub _users {
    my ($chosen) = @_;

    my %name = map { $_->borrowernumber => $_->userid } users_with_keys($chosen);
    $name{$chosen} //= $chosen if ( $chosen // q{} ) =~ m{\A [0-9]+ \z}xms;

    return [ map { { id => $_, name => $name{$_} // $_ } } sort { $a <=> $b } keys %name ];
}

sub _test {
    my ($settings) = @_;

    return { kind => 'incomplete' } if !$settings->is_complete;

    my $answer = Koha::Plugin::Org::PatronPassport::Sender->new($settings)->test($TEST_LIMIT_S);
    $answer->{is_slow} = $answer->{ms} > $PAGE_LIMIT_MS;

    return $answer;
}

1;

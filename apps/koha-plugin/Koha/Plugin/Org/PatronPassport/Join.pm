package Koha::Plugin::Org::PatronPassport::Join;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use Koha;
use Koha::Patrons;
use List::Util qw( any );
use Mojo::URL;

use Koha::Plugin::Org::PatronPassport::ApiKeys  qw( make_key );
use Koha::Plugin::Org::PatronPassport::Card     qw( trimmed );
use Koha::Plugin::Org::PatronPassport::JoinLink qw( parse_link );
use Koha::Plugin::Org::PatronPassport::JoinRecord
    qw( disconnect end_request keep log_join may_join one_at_a_time record_of settle take_back time_here while_known );
use Koha::Plugin::Org::PatronPassport::JoinRequest qw( can_seal join_request pasted );
use Koha::Plugin::Org::PatronPassport::Problem     qw( report );
use Koha::Plugin::Org::PatronPassport::Sender;
use Koha::Plugin::Org::PatronPassport::Settings;
use Koha::Plugin::Org::PatronPassport::SetupPlan qw( assumed_needs );
use Koha::Plugin::Org::PatronPassport::Signature qw( new_secret );
use Koha::Plugin::Org::PatronPassport::User      qw( may_see );

# Somebody waits for it at a page that they have opened for nothing else.
my $LIMIT_S = 10;

# The most that the service takes of a library's own cards.
my $MOST_PATTERNS = 20;

# A length of cards that this part of all patrons has is no exception.
my $USUAL_PART = 0.1;

# Library cards of this length and more begin with digits of the library; how far, only long ones say.
my $LONG_CARD   = 12;
my $PREFIX_MOST = 5;

# Found missing until a request is made: the address, and the key that it makes.
my %MADE_BY_JOINING = map { $_ => 1 } qw( settings_missing settings_unchecked user_none user_no_key );

our @EXPORT_OK = qw( join_page );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Join - a library asks to join a consortium, by the link of an operator

=head1 DESCRIPTION

The configuration page shows what the link says and what would be sent, and makes a key for the service's user when the request is sent: Koha
keeps only a hash of an API secret, so that one that was shown before cannot be sent. From then on the library waits: nothing is reported
until the service answers its request for a status as one of a library that it knows. The keys of before are good until it has used the new one.

=head1 FUNCTIONS

=head2 join_page

    my $join = join_page( $plugin, $op, sub { return @planned } );

Carries out C<cud-join> (look at the link), C<cud-join-send>, C<cud-join-text>, C<cud-join-again> and C<cud-join-end> (L<Koha::Plugin::Org::PatronPassport::JoinRecord>), and
returns what the template shows: C<state> is C<open>, C<link>, C<waiting> or C<connected>, C<asks> whether a second press is needed, and C<fault>, C<faults> (by field) and C<hindered> are sentences. What was planned (L<Koha::Plugin::Org::PatronPassport::SetupPlan>)
says what has to be made first. Undef where the plugin was set up by hand.

=cut

sub join_page {
    my ( $plugin, $op, $plan ) = @_;

    disconnect( $plugin, scalar $plugin->{cgi}->param('join_client') ) if $op eq 'cud-join-end';
    my $asked
        = $op eq 'cud-join-again' && may_join()
        ? take_back( $plugin, $plugin->{cgi}->param('join_seen') // q{} )
        : undef;
    if ( my $record = settle($plugin) ) {
        return {
            connected_at => $record->{at},
            %{$record},
            state   => $plugin->settings->{join_waiting} ? 'waiting' : 'connected',
            asks    => $asked                            ? 1         : 0,
            may_end => may_join(),
        };
    }

    my $settings = $plugin->settings;
    return                     if length $settings->{receiver_url} && length $settings->{library};
    return { state => 'open' } if $op !~ m{\A cud-join (?: -send | -text )? \z}xms;

    my $cgi    = $plugin->{cgi};
    my $pasted = scalar $cgi->param('join_link');
    my ( $invitation, $fault ) = parse_link( $pasted, time );
    return { state => 'open', fault => $fault } if $fault;

    my %page = (
        state    => 'link',
        link     => $pasted =~ s{\s+}{}gxmsr,
        hindered => scalar _hindrance( $settings, $plan ),
        _shown_of($invitation),
        _facts($plugin),
    );
    return { %page, koha_url => _own_address(), cards => join "\n", _usual_cards() } if $op eq 'cud-join';

    my ( $said, $faults ) = _said($plugin);
    my %entered = map { $_ => scalar $cgi->param("join_$_") } qw( koha_url cards );
    return { %page, %entered, faults => $faults } if %{$faults};
    return { %page, %entered } if $page{hindered};

    my $refusal = _ask( $plugin, $invitation, $said, $op eq 'cud-join-send' );

    # it may be somebody else's, who was faster
    my $record = record_of($plugin);

    return $record ? { %{$record}, state => 'waiting' } : { %page, %entered, fault => $refusal };
}

# No request can change a secret that is in koha-conf.xml.
sub _is_in_file {
    my ($settings) = @_;

    return $settings->{secret_from} eq 'koha-conf';
}

# Why nothing can be sent yet, whatever the link says; undef where it can.
sub _hindrance {
    my ( $settings, $plan ) = @_;

    my $number = $settings->{service_user};
    my $user   = length $number ? Koha::Patrons->find($number) : undef;
    return { key => 'join_lacks' } if !may_join();
    return { key => 'join_first' }
        if !$user
        || ( _is_in_file($settings) && !defined $settings->key )
        || any { $_->{level} eq 'fault' && !$MADE_BY_JOINING{ $_->{say}{key} } } $plan->();
    return { key => 'join_user', name => $user->userid }
        if $user->has_permission( { superlibrarian => 1 } ) || !may_see($number);
    return { key => 'join_module' } if !can_seal();

    return;
}

sub _shown_of {
    my ($invitation) = @_;

    my $url = Mojo::URL->new( $invitation->{receiver} );

    return (
        ( map { $_ => $invitation->{$_} } qw( receiver library name consortium ) ),
        host => $url->host_port,
        ends => time_here( $invitation->{ends} ),
    );
}

sub _facts {
    my ($plugin) = @_;

    my $needs      = assumed_needs();
    my ($branches) = C4::Context->dbh->selectrow_array('SELECT COUNT(*) FROM branches');
    my $user       = Koha::Patrons->find( $plugin->settings->{service_user} );

    return (
        koha_version => Koha::version(),
        version      => $plugin->get_metadata->{version},
        branches     => $branches,
        category     => $needs->{categories}[0],
        passport     => $needs->{passport},
        home_key     => $needs->{home_key},
        user         => $user ? $user->userid : undef,
    );
}

sub _own_address {
    my $url = trimmed( C4::Context->preference('staffClientBaseURL') ) =~ s{ /+ \z}{}xmsr;

    return $url eq q{} || $url =~ m{\A https?:// }xms ? $url : "https://$url";
}

# What most cards here look like, as a proposal: somebody confirms it. A visitor's copy has a card of its home library.
sub _usual_cards {
    my $needs = assumed_needs();
    my $rows  = C4::Context->dbh->selectall_arrayref(
        'SELECT LENGTH(cardnumber), MIN(cardnumber), MAX(cardnumber), COUNT(*) FROM borrowers'
            . q{ WHERE cardnumber <> '' AND borrowernumber NOT IN}
            . ' (SELECT borrowernumber FROM borrower_attributes WHERE code IN (?, ?))'
            . ' GROUP BY LENGTH(cardnumber), SUBSTR(cardnumber, 1, 2) ORDER BY COUNT(*) DESC',
        undef, @{$needs}{qw( passport home_key )}
    );
    my $all = 0;
    $all += $_->[3] foreach @{$rows};

    my %pattern;
    foreach my $row ( grep { $_->[3] >= 5 && $_->[3] >= $USUAL_PART * $all } @{$rows} ) {
        my ( $length, $least, $most ) = @{$row};
        next if "$least$most" !~ m{\A [0-9]+ \z}xms;
        my $alike = 0;
        $alike++
            while $length >= $LONG_CARD
            && $alike < $PREFIX_MOST
            && substr( $least, $alike, 1 ) eq substr $most, $alike, 1;
        $pattern{ sprintf '^%s\d{%d}$', substr( $least, 0, $alike ), $length - $alike } = 1;
    }

    my @patterns = sort keys %pattern;

    return @patterns;
}

sub _said {
    my ($plugin) = @_;

    my $cgi      = $plugin->{cgi};
    my %is       = _facts($plugin);
    my $settings = 'Koha::Plugin::Org::PatronPassport::Settings';
    my $url      = trimmed( scalar $cgi->param('join_koha_url') ) =~ s{ /+ \z}{}xmsr;
    my ( $cards, $pattern_fault ) = $settings->checked_patterns( scalar $cgi->param('join_cards') );
    my %faults;
    $faults{join_koha_url} = { key => 'fault_address' }                       if !$settings->is_address($url);
    $faults{join_cards}    = $pattern_fault                                   if $pattern_fault;
    $faults{join_cards} = { key => 'fault_patterns', most => $MOST_PATTERNS } if @{$cards} > $MOST_PATTERNS;

    return (
        {   koha => {
                url      => $url,
                version  => "$is{koha_version}",
                plugin   => "$is{version}",
                branches => 0 + $is{branches},
            },
            copy => {
                category           => $is{category},
                passport_attribute => $is{passport},
                home_key_attribute => $is{home_key},
            },
            cards => $cards,
        },
        \%faults
    );
}

# The request is kept before it is sent. Only a 4xx says that the receiver did not take it, and then it is gone with its key; whatever else happens, this web
# worker's end too, leaves it as a text: the service takes the same bytes twice.
sub _ask {
    my ( $plugin, $invitation, $said, $is_sent ) = @_;

    my $host = Mojo::URL->new( $invitation->{receiver} )->host_port;
    my ( $record, $json );
    my $is_made = eval {
        one_at_a_time(
            $plugin,
            sub {
                my $settings = $plugin->settings;
                return if length $settings->{receiver_url} && length $settings->{library};

                # whoever had a request before may know the secret of that one
                my $secret = _is_in_file($settings) ? $settings->{secret} : new_secret();
                ( $record, $json ) = _made( $settings, $invitation, $said, $secret );
                $record->{is_unsure} = 1 if $is_sent;
                keep(
                    $plugin, $record,
                    _is_in_file($settings) ? () : ( secret => $secret ),
                    join_waiting => 1,
                    receiver_url => $record->{receiver},
                    library      => $record->{library}
                );
            }
        );
        1;
    };
    report( 'the request to join', $@ ) if !$is_made;
    return { key => 'join_broken' }     if !$is_made;
    return                              if !$record || !$is_sent;

    my $answer
        = Koha::Plugin::Org::PatronPassport::Sender->ask_to_join( $record->{receiver}, $json, $LIMIT_S );
    if ( $answer->{kind} eq 'accepted' ) {
        delete @{$record}{qw( text is_unsure )};
        while_known( $plugin, $record, 1, sub { keep( $plugin, $record ) } );
    }
    return if $answer->{kind} ne 'refused' || $answer->{status} !~ m{\A 4 }xms;

    end_request( $plugin, $record, 1, "Revoked that API key: $host did not take the request" );

    return _refusal( $answer, $host );
}

# A request with a new key and this webhook secret, and what is kept of it.
sub _made {
    my ( $settings, $invitation, $said, $secret ) = @_;

    my $number  = $settings->{service_user};
    my $host    = Mojo::URL->new( $invitation->{receiver} )->host_port;
    my $key     = make_key($number);
    my %secrets = (
        client_id      => $key->client_id,
        client_secret  => $key->plain_text_secret,
        webhook_secret => $secret,
    );
    my $request = join_request( $invitation, $said, \%secrets, time );
    log_join( $number, "Made an API key for this patron, sealed for $host ($invitation->{invitation})" );

    my %record = (
        ( map { $_ => $invitation->{$_} } qw( receiver library name consortium ) ),
        host        => $host,
        ends        => time_here( $invitation->{ends} ),
        at          => time_here(time),
        patron_id   => $number,
        client_id   => $key->client_id,
        fingerprint => $request->{fingerprint},
        text        => pasted( $request->{json} ),
    );

    return ( \%record, $request->{json} );
}

my %REFUSED = ( 404 => 'join_unknown', 409 => 'join_pending', 429 => 'join_later' );

sub _refusal {
    my ( $answer, $host ) = @_;

    my $said = join q{, }, grep {defined} @{$answer}{qw( status field )};
    return { key => $REFUSED{ $answer->{status} } // 'join_refused', answer => $said, host => $host };
}

1;

package Koha::Plugin::Org::PatronPassport::SetupCheck;

use Modern::Perl;

use Exporter   qw( import );
use List::Util qw( any );
use Mojo::Date ();

use Koha::Plugin::Org::PatronPassport::KohaCheck qw( koha_checks );

# As at doctor: what is further off the receiver refuses after 300 s.
my $CLOCK_S = 60;

# A page gives the receiver no longer than this.
my $PAGE_LIMIT_MS = 500;

# What an unreachable receiver may be, and what is done about it.
my %REMEDY_OF_UNREACHABLE = (
    timeout => 'remedy_way',
    refused => 'remedy_address',
    tls     => 'remedy_tls',
    name    => 'remedy_address',
);

our @EXPORT_OK = qw( setup_checks );

=head1 NAME

Koha::Plugin::Org::PatronPassport::SetupCheck - what is set up rightly and what is not, with what to do about it

=head1 FUNCTIONS

=head2 setup_checks

    my @checks = setup_checks( { settings => $settings, service => $service, facts => $facts, now => $now } );

One by one C<< { id => 'clock', level => 'ok', say => { key => 'clock_ok' }, remedy => undef } >>; C<level> is C<ok>, C<fault>, C<warning>
or C<unchecked>, and C<say> and C<remedy> are sentences for L<Koha::Plugin::Org::PatronPassport::PageWords/filled>. The same that
C<passport doctor> finds from outside (apps/cli/src/commands/doctor), by what this Koha sees itself.

=cut

sub setup_checks {
    my ($seen) = @_;

    return (
        _settings($seen), _tables($seen), _receiver($seen), _identity($seen),
        _clock($seen),    _worker($seen), _sources($seen),  koha_checks($seen)
    );
}

sub _check {
    my ( $id, $level, $say, $remedy ) = @_;

    return { id => $id, level => $level, say => $say, remedy => $remedy ? { key => $remedy } : undef };
}

sub _settings {
    my ($seen) = @_;

    return _check( settings => 'fault', { key => 'settings_missing' }, 'remedy_configure' )
        if $seen->{service}{kind} eq 'incomplete';

    return _check( settings => 'ok', { key => 'settings_ok' } );
}

sub _tables {
    my ($seen) = @_;

    my @missing = @{ $seen->{facts}{missing_tables} };
    return if !@missing;

    return _check(
        tables => 'fault',
        { key => 'tables_missing', tables => join q{, }, @missing },
        'remedy_tables'
    );
}

sub _receiver {
    my ($seen) = @_;

    my $service = $seen->{service};
    my %at      = ( url => $seen->{settings}{receiver_url}, ms => $service->{ms} );
    my $kind    = $service->{kind};
    return _check( receiver => 'unchecked', { key => 'receiver_unchecked' } ) if $kind eq 'incomplete';
    return _check(
        receiver => 'fault',
        { key => 'receiver_unreachable', %at },
        $REMEDY_OF_UNREACHABLE{ $service->{why} } // 'remedy_operator'
    ) if $kind eq 'unreachable';
    return _refusal($seen) if $kind eq 'refused' && $service->{status} != 401;
    return _check( receiver => 'warning', { key => 'receiver_earlier', %at }, 'remedy_upgrade' )
        if $kind eq 'earlier';
    return _check(
        receiver => 'warning',
        { key => 'receiver_slow', %at, limit => $PAGE_LIMIT_MS }, 'remedy_way'
    ) if $service->{ms} > $PAGE_LIMIT_MS;

    return _check( receiver => 'ok', { key => 'receiver_ok', %at } );
}

sub _refusal {
    my ($seen) = @_;

    my $status = $seen->{service}{status};
    my %answer = ( url => $seen->{settings}{receiver_url}, status => $status );
    return _check( receiver => 'fault', { key => 'receiver_limit', %answer }, 'remedy_later' )
        if $status == 429;
    return _check( receiver => 'fault', { key => 'receiver_trouble', %answer }, 'remedy_operator' )
        if $status >= 500;

    return _check( receiver => 'fault', { key => 'receiver_other', %answer }, 'remedy_address' );
}

# Who signs proves the secret, and the receiver says what does not fit together.
sub _identity {
    my ($seen) = @_;

    my $service = $seen->{service};
    my %as      = ( library => $seen->{settings}{library} );
    return _check( identity => 'ok', { key => 'identity_ok', %as } )
        if any { $_ eq $service->{kind} } qw( known earlier );

    my $reason
        = $service->{kind} eq 'refused' && $service->{status} == 401
        ? $service->{reason} // q{}
        : 'none';
    return _check( identity => 'unchecked', { key => 'identity_unchecked' } )
        if $reason =~ m{\A (?: none | clock ) \z}xms;
    return _check( identity => 'fault', { key => 'identity_other', %as }, 'remedy_identity' )
        if $reason eq 'library';

    return _check(
        identity => 'fault',
        { key => 'identity_wrong', %as },
        $seen->{settings}{secret_from} eq 'koha-conf' ? 'remedy_secret_koha_conf' : 'remedy_identity'
    );
}

sub _clock {
    my ($seen) = @_;

    my $service = $seen->{service};
    return _check( clock => 'fault', { key => 'clock_refused' }, 'remedy_clock' )
        if $service->{kind} eq 'refused' && ( $service->{reason} // q{} ) eq 'clock';
    return _check( clock => 'ok',        { key => 'clock_ok' } )        if $service->{kind} eq 'earlier';
    return _check( clock => 'unchecked', { key => 'clock_unchecked' } ) if $service->{kind} ne 'known';

    my $seconds = abs int( $seen->{now} - Mojo::Date->new( $service->{status}{checked_at} )->epoch );
    return _check( clock => 'warning', { key => 'clock_off', seconds => $seconds }, 'remedy_clock' )
        if $seconds > $CLOCK_S;

    return _check( clock => 'ok', { key => 'clock_ok' } );
}

sub _worker {
    my ($seen) = @_;

    my $service = $seen->{service};
    return _check( worker => 'unchecked', { key => 'worker_unchecked' } ) if $service->{kind} ne 'known';

    my $status   = $service->{status};
    my @versions = @{ $status->{workers}{versions} };
    return _check( worker => 'fault', { key => 'worker_none' }, 'remedy_operator' )
        if !$status->{workers}{alive};

    my $version = $status->{version} // q{};
    my @others  = grep { $_ ne $version } @versions;
    return _check(
        worker => @others < @versions ? 'warning' : 'fault',
        { key => 'worker_other', version => $version, versions => join q{, }, @others },
        'remedy_upgrade'
    ) if @others;

    return _check( worker => 'ok', { key => 'worker_ok', version => $version } );
}

sub _sources {
    my ($seen) = @_;

    my $settings = $seen->{settings};
    my $status   = $seen->{service}{status};
    my $is_seen  = ref $status && $status->{needs}{seen_copies};
    my @checks;
    push @checks, _check( desk => 'warning', { key => 'desk_off' }, 'remedy_switch_on' )
        if !$settings->serves('staff');
    push @checks,
        _check(
        sip => 'warning',
        { key => 'sip_branch', branch => $seen->{facts}{unknown_branch} }, 'remedy_sip'
        ) if defined $seen->{facts}{unknown_branch} && $settings->serves('sip');
    push @checks, _check( copies => 'warning', { key => 'copies_off' }, 'remedy_switch_on' )
        if $is_seen && !$settings->serves('copies');

    return @checks ? @checks : _check( desk => 'ok', { key => 'desk_ok' } );
}

1;

package Koha::Plugin::Org::PatronPassport::SetupCheck;

use Modern::Perl;

use Exporter   qw( import );
use List::Util qw( any );
use Mojo::Date ();

use Koha::Plugin::Org::PatronPassport::PartnerCards qw( hidden_partners );
use Koha::Plugin::Org::PatronPassport::Shape        qw( number );

# As at doctor: what is further off the receiver refuses after 300 s.
my $CLOCK_S = 60;

# A page gives the receiver no longer than this.
my $PAGE_LIMIT_MS = 500;

# A waiting desk page holds one web worker, and the service's own request needs another.
my $FEWEST_WORKERS = 2;

# What an unreachable receiver may be, and what is done about it.
my %REMEDY_OF_UNREACHABLE = (
    timeout => 'remedy_way',
    refused => 'remedy_address',
    tls     => 'remedy_tls',
    name    => 'remedy_address',
);

# What can be found, by its sentence: in which check, how grave it is, and the sentence that says what to do about it. A sentence that is
# not here is named by the two, as clock_ok and clock_unchecked, and needs nothing done.
my %FINDING = (
    settings_missing     => [ settings   => 'fault',   'remedy_configure' ],
    tables_missing       => [ tables     => 'fault',   'remedy_tables' ],
    receiver_unreachable => [ receiver   => 'fault',   'remedy_operator' ],
    receiver_limit       => [ receiver   => 'fault',   'remedy_later' ],
    receiver_trouble     => [ receiver   => 'fault',   'remedy_operator' ],
    receiver_other       => [ receiver   => 'fault',   'remedy_address' ],
    receiver_slow        => [ receiver   => 'warning', 'remedy_way' ],
    identity_other       => [ identity   => 'fault',   'remedy_identity' ],
    identity_wrong       => [ identity   => 'fault',   'remedy_identity' ],
    clock_refused        => [ clock      => 'fault',   'remedy_clock' ],
    clock_off            => [ clock      => 'warning', 'remedy_clock' ],
    worker_none          => [ worker     => 'fault',   'remedy_operator' ],
    worker_other         => [ worker     => 'warning', 'remedy_upgrade' ],
    desk_off             => [ desk       => 'warning', 'remedy_switch_on' ],
    sip_branch           => [ sip        => 'warning', 'remedy_sip' ],
    copies_off           => [ copies     => 'warning', 'remedy_switch_on' ],
    api_off              => [ api        => 'fault',   'remedy_api' ],
    user_none            => [ user       => 'fault',   'remedy_key' ],
    user_unset           => [ user       => 'fault',   'remedy_user' ],
    user_no_key          => [ user       => 'fault',   'remedy_user' ],
    user_taken           => [ user       => 'fault',   'remedy_taken' ],
    user_lacks           => [ user       => 'warning', 'remedy_permission' ],
    attributes_off       => [ types      => 'fault',   'remedy_attributes' ],
    type_missing         => [ types      => 'fault',   'remedy_type' ],
    type_not_unique      => [ types      => 'fault',   'remedy_type_again' ],
    type_unique          => [ types      => 'fault',   'remedy_type_again' ],
    type_editable        => [ types      => 'fault',   'remedy_type_opac' ],
    type_shown           => [ types      => 'warning', 'remedy_type_opac' ],
    type_mandatory       => [ types      => 'fault',   'remedy_type_optional' ],
    category_missing     => [ categories => 'fault',   'remedy_category' ],
    category_none        => [ categories => 'fault',   'remedy_operator' ],
    rules_missing        => [ rules      => 'fault',   'remedy_rules' ],
    branch_missing       => [ branch     => 'fault',   'remedy_branch' ],
    cards_hidden         => [ cards      => 'fault',   'remedy_cards' ],
    plack_few            => [ plack      => 'warning', 'remedy_plack' ],
);

# In the order of the page. Each returns its findings, with the values for their blanks; C<level> and C<remedy> among these replace those
# of the table.
my @CHECKS = (
    \&_settings,   \&_tables,  \&_receiver, \&_identity, \&_clock,
    \&_worker,     \&_sources, \&_api,      \&_user,     \&_types,
    \&_categories, \&_rules,   \&_branch,   \&_cards,    \&_web_workers
);

our @EXPORT_OK = qw( setup_checks );

=head1 NAME

Koha::Plugin::Org::PatronPassport::SetupCheck - what is set up rightly and what is not, with what to do about it

=head1 FUNCTIONS

=head2 setup_checks

    my @checks = setup_checks( { settings => $settings, service => $service, facts => $facts, now => $now, assumed => $needs } );

One by one C<< { id => 'clock', level => 'ok', say => { key => 'clock_ok' }, remedy => undef } >>; C<level> is C<ok>, C<fault>, C<warning>
or C<unchecked>, and C<say> and C<remedy> are sentences for L<Koha::Plugin::Org::PatronPassport::PageWords/filled>. They are what
C<passport doctor> shows (C<POST /check>; apps/cli/src/commands/doctor), by what this Koha sees itself
(L<Koha::Plugin::Org::PatronPassport::KohaFacts>). What depends on the service's configuration is not checked where that is not known, unless
C<assumed> says what it will be.

=cut

sub setup_checks {
    my ($seen) = @_;

    my $status = $seen->{service}{kind} eq 'known' ? $seen->{service}{status} : undef;
    my %seen   = ( %{$seen}, status => $status, needs => $status ? $status->{needs} : $seen->{assumed} );

    return map { _check( @{$_} ) } map { $_->( \%seen ) } @CHECKS;
}

sub _check {
    my ( $key, %values ) = @_;

    my ( $id, $level, $remedy ) = @{ $FINDING{$key} // [ split m{_}xms, $key ] };
    $remedy = $values{remedy} // $remedy;

    return {
        id     => $id,
        level  => $values{level} // $level,
        say    => { %values, key => $key },
        remedy => $remedy ? { %values, key => $remedy } : undef
    };
}

sub _settings {
    my ($seen) = @_;

    return ['settings_unchecked'] if $seen->{settings}{join_waiting};
    return $seen->{service}{kind} eq 'incomplete' ? ['settings_missing'] : ['settings_ok'];
}

sub _tables {
    my ($seen) = @_;

    my @missing = @{ $seen->{facts}{missing_tables} };

    return @missing ? [ 'tables_missing', tables => join q{, }, @missing ] : ();
}

sub _receiver {
    my ($seen) = @_;

    my ( $kind, $ms, $why, $status ) = @{ $seen->{service} }{qw( kind ms why status )};
    my %at = ( url => $seen->{settings}{receiver_url}, ms => $ms, status => $status, why => $why );
    return ['receiver_unchecked']                                                  if $kind eq 'incomplete';
    return [ 'receiver_unreachable', %at, remedy => $REMEDY_OF_UNREACHABLE{$why} ] if $kind eq 'unreachable';
    if ( $kind eq 'refused' && $status != 401 ) {
        return [ 'receiver_limit',   %at ] if $status == 429;
        return [ 'receiver_trouble', %at ] if $status >= 500;
        return [ 'receiver_other',   %at ];
    }
    return [ 'receiver_slow', %at, limit => $PAGE_LIMIT_MS ] if $ms > $PAGE_LIMIT_MS;

    return [ 'receiver_ok', %at ];
}

# Who signs proves the secret, and the receiver says what does not fit together.
sub _identity {
    my ($seen) = @_;

    my ( $kind, $status, $why ) = @{ $seen->{service} }{qw( kind status reason )};
    my %as = ( library => $seen->{settings}{library} );
    return [ 'identity_ok', %as ] if $kind eq 'known';

    my $reason = $kind eq 'refused' && $status == 401 ? $why // q{} : 'none';
    return ['identity_unchecked']    if any { $_ eq $reason } qw( none clock );
    return [ 'identity_other', %as ] if $reason eq 'library';

    my $in_file = $seen->{settings}{secret_from} eq 'koha-conf';
    return [ 'identity_wrong', %as, remedy => $in_file ? 'remedy_secret_koha_conf' : undef ];
}

sub _clock {
    my ($seen) = @_;

    my ( $kind, $reason ) = @{ $seen->{service} }{qw( kind reason )};
    return ['clock_refused']   if $kind eq 'refused' && ( $reason // q{} ) eq 'clock';
    return ['clock_unchecked'] if !$seen->{status};

    my $seconds = abs int( $seen->{now} - Mojo::Date->new( $seen->{status}{checked_at} )->epoch );

    return $seconds > $CLOCK_S ? [ 'clock_off', seconds => $seconds ] : ['clock_ok'];
}

sub _worker {
    my ($seen) = @_;

    my $status = $seen->{status} or return ['worker_unchecked'];
    return ['worker_none'] if !$status->{workers}{alive};

    my $version  = $status->{version} // q{};
    my @versions = @{ $status->{workers}{versions} };
    my @others   = grep { $_ ne $version } @versions;
    return [ 'worker_ok', version => $version ] if !@others;

    my %values = ( version => $version, versions => join q{, }, @others );
    return [ 'worker_other', %values, level => @others < @versions ? 'warning' : 'fault' ];
}

sub _sources {
    my ($seen) = @_;

    my ( $settings, $branch ) = ( $seen->{settings}, $seen->{facts}{unknown_branch} );
    my @found;
    push @found, ['desk_off']                        if !$settings->serves('staff');
    push @found, [ 'sip_branch', branch => $branch ] if defined $branch && $settings->serves('sip');
    push @found, ['copies_off']
        if $seen->{needs} && $seen->{needs}{seen_copies} && !$settings->serves('copies');

    return @found ? @found : ['desk_ok'];
}

sub _api {
    my ($seen) = @_;

    return $seen->{facts}{preferences}{RESTOAuth2ClientCredentials} ? ['api_ok'] : ['api_off'];
}

sub _user {
    my ($seen) = @_;

    my ( $user, $lacking, $taken ) = @{ $seen->{facts} }{qw( user lacking taken )};
    my @taken = defined $taken ? [ 'user_taken', login => $taken ] : ();
    return ( ['user_none'],   @taken ) if $user eq 'no_keys';
    return ( ['user_unset'],  @taken ) if $user eq 'unset';
    return ( ['user_no_key'], @taken ) if $user eq 'no_key';
    return ['user_ok'] if !@{$lacking};

    my $is_grave = any { !m{view_borrower_infos | \A borrowers \z}xms } @{$lacking};

    return [
        'user_lacks',
        permissions => join( q{; }, @{$lacking} ),
        level       => $is_grave ? 'fault' : 'warning'
    ];
}

sub _types {
    my ($seen) = @_;

    my ( $facts, $needs ) = @{$seen}{qw( facts needs )};
    my @off = ( $facts->{preferences}{ExtendedPatronAttributes} // 1 ) eq '0' ? ['attributes_off'] : ();
    return @off ? @off : ['types_unchecked'] if !$needs;

    my %unique = ( $needs->{passport} // 'PASSPORTED' => 0 );
    $unique{ $needs->{home_key} } = 1 if defined $needs->{home_key};
    my @faults = ( @off, map { _type( $_, $facts->{types}{$_}, $unique{$_} ) } sort keys %unique );
    push @faults, _mandatory( $facts, $needs, \%unique );

    return @faults ? @faults : [ 'types_ok', types => join q{, }, sort keys %unique ];
}

sub _type {
    my ( $code, $row, $is_unique ) = @_;

    my %named = ( type => $code );
    return [ 'type_missing',    %named, remedy => $is_unique ? 'remedy_type_unique' : undef ] if !$row;
    return [ 'type_not_unique', %named ] if $is_unique  && !$row->{unique_id};
    return [ 'type_unique',     %named ] if !$is_unique && $row->{unique_id};
    return [ 'type_editable',   %named ] if $row->{opac_editable};
    return [ 'type_shown',      %named ] if $row->{opac_display};

    return;
}

# A type that every patron of a copy's category must have, and no copy has.
sub _mandatory {
    my ( $facts, $needs, $ours ) = @_;

    my %is_ours = map { $_ => 1 } @{ $needs->{categories} };
    my @types   = grep {
               $_->{mandatory}
            && !exists $ours->{ $_->{code} }
            && ( !defined $_->{category_code} || $is_ours{ $_->{category_code} } )
    } map { $facts->{types}{$_} } sort keys %{ $facts->{types} };

    return map { [ 'type_mandatory', type => $_->{code} ] } @types;
}

sub _categories {
    my ($seen) = @_;

    return ['categories_unchecked'] if !$seen->{needs};

    my @wanted  = @{ $seen->{needs}{categories} };
    my @missing = grep { !$seen->{facts}{categories}{$_} } @wanted;
    return map { [ 'category_missing', category => $_ ] } @missing if @missing;

    return @wanted ? [ 'categories_ok', categories => join q{, }, @wanted ] : ['category_none'];
}

sub _rules {
    my ($seen) = @_;

    my $rules  = $seen->{facts}{rules};
    my @wanted = $seen->{needs} ? @{ $seen->{needs}{categories} } : ();
    return if !@wanted;

    my @missing = $rules->{q{*}} ? () : grep { !$rules->{$_} } @wanted;

    return @missing ? map { [ 'rules_missing', category => $_ ] } @missing : ['rules_ok'];
}

sub _branch {
    my ($seen) = @_;

    my $branch = $seen->{needs} ? $seen->{needs}{branch} : undef;
    return if !defined $branch;

    return [ $seen->{facts}{branches}{$branch} ? 'branch_ok' : 'branch_missing', branch => $branch ];
}

# Whoever is hidden is looked up nowhere, and nobody at the service can see it.
sub _cards {
    my ($seen) = @_;

    return ['cards_unchecked'] if !$seen->{needs} || !$seen->{needs}{has_cards};

    my @hidden = hidden_partners( $seen->{settings}, $seen->{needs}{cards} );

    return @hidden ? [ 'cards_hidden', libraries => join q{, }, @hidden ] : ['cards_ok'];
}

sub _web_workers {
    my ($seen) = @_;

    my $workers = number()->( $seen->{facts}{plack_workers} );
    return if !defined $workers || $workers >= $FEWEST_WORKERS;

    return [ 'plack_few', workers => $workers ];
}

1;

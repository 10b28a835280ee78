package Koha::Plugin::Org::PatronPassport::KohaCheck;

use Modern::Perl;

use Exporter qw( import );

# A waiting desk page holds one web worker, and the service's own request needs another.
my $FEWEST_WORKERS = 2;

our @EXPORT_OK = qw( koha_checks );

=head1 NAME

Koha::Plugin::Org::PatronPassport::KohaCheck - whether this Koha has what the service needs

=head1 FUNCTIONS

=head2 koha_checks

    my @checks = koha_checks($seen);

As L<Koha::Plugin::Org::PatronPassport::SetupCheck/setup_checks>, by what L<Koha::Plugin::Org::PatronPassport::KohaFacts> has found. What depends
on the service's configuration is not checked where that is not known.

=cut

sub koha_checks {
    my ($seen) = @_;

    my $facts  = $seen->{facts};
    my $status = $seen->{service}{status};
    my $needs  = ref $status ? $status->{needs} : undef;

    return (
        _api($facts), _user($facts),
        _types( $facts, $needs ),
        _categories( $facts, $needs ),
        _branch( $facts, $needs ),
        _workers($facts)
    );
}

sub _check {
    my ( $id, $level, $say, $remedy ) = @_;

    return {
        id     => $id,
        level  => $level,
        say    => $say,
        remedy => $remedy ? { %{$say}, key => $remedy } : undef
    };
}

sub _api {
    my ($facts) = @_;

    return _check( api => 'ok', { key => 'api_ok' } ) if $facts->{preferences}{RESTOAuth2ClientCredentials};

    return _check( api => 'fault', { key => 'api_off' }, 'remedy_api' );
}

sub _user {
    my ($facts) = @_;

    my $user = $facts->{user};
    return _check( user => 'fault', { key => 'user_none' },   'remedy_key' )  if $user eq 'no_keys';
    return _check( user => 'fault', { key => 'user_unset' },  'remedy_user' ) if $user eq 'unset';
    return _check( user => 'fault', { key => 'user_no_key' }, 'remedy_user' ) if $user eq 'no_key';

    my $lacking = $facts->{lacking};
    return _check( user => 'ok', { key => 'user_ok' } ) if !@{$lacking};

    my @grave = grep { !m{view_borrower_infos}xms } @{$lacking};

    return _check(
        user => @grave ? 'fault' : 'warning',
        { key => 'user_lacks', permissions => join q{; }, @{$lacking} },
        'remedy_permission'
    );
}

sub _types {
    my ( $facts, $needs ) = @_;

    return _check( types => 'fault', { key => 'attributes_off' }, 'remedy_attributes' )
        if ( $facts->{preferences}{ExtendedPatronAttributes} // 1 ) eq '0';
    return _check( types => 'unchecked', { key => 'types_unchecked' } ) if !$needs;

    my %unique = ( $needs->{passport} // 'PASSPORTED' => 0 );
    $unique{ $needs->{home_key} } = 1 if defined $needs->{home_key};
    my @faults = map { _type( $_, $facts->{types}{$_}, $unique{$_} ) } sort keys %unique;
    push @faults, _mandatory( $facts, $needs, \%unique );

    return @faults if @faults;
    return _check( types => 'ok', { key => 'types_ok', types => join q{, }, sort keys %unique } );
}

sub _type {
    my ( $code, $row, $is_unique ) = @_;

    my %named = ( type => $code );
    return _check(
        types => 'fault',
        { key => 'type_missing', %named }, $is_unique ? 'remedy_type_unique' : 'remedy_type'
    ) if !$row;
    return _check( types => 'fault', { key => 'type_not_unique', %named }, 'remedy_type_again' )
        if $is_unique && !$row->{unique_id};
    return _check( types => 'fault', { key => 'type_unique', %named }, 'remedy_type_again' )
        if !$is_unique && $row->{unique_id};
    return _check( types => 'fault', { key => 'type_editable', %named }, 'remedy_type_opac' )
        if $row->{opac_editable};
    return _check( types => 'warning', { key => 'type_shown', %named }, 'remedy_type_opac' )
        if $row->{opac_display};

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

    return map {
        _check( types => 'fault', { key => 'type_mandatory', type => $_->{code} }, 'remedy_type_optional' )
    } @types;
}

sub _categories {
    my ( $facts, $needs ) = @_;

    return _check( categories => 'unchecked', { key => 'categories_unchecked' } ) if !$needs;

    my @wanted  = @{ $needs->{categories} };
    my @missing = grep { !$facts->{categories}{$_} } @wanted;
    return map {
        _check( categories => 'fault', { key => 'category_missing', category => $_ }, 'remedy_category' )
        } @missing
        if @missing;
    return _check( categories => 'fault', { key => 'category_none' }, 'remedy_operator' ) if !@wanted;

    return _check( categories => 'ok', { key => 'categories_ok', categories => join q{, }, @wanted } );
}

sub _branch {
    my ( $facts, $needs ) = @_;

    my $branch = $needs ? $needs->{branch} : undef;
    return                                                                     if !defined $branch;
    return _check( branch => 'ok', { key => 'branch_ok', branch => $branch } ) if $facts->{branches}{$branch};

    return _check( branch => 'fault', { key => 'branch_missing', branch => $branch }, 'remedy_branch' );
}

sub _workers {
    my ($facts) = @_;

    my ($workers) = ( $facts->{plack_workers} // q{} ) =~ m{\A ( [0-9]{1,4} ) \z}xms;
    return if !defined $workers || $workers >= $FEWEST_WORKERS;

    return _check( plack => 'warning', { key => 'plack_few', workers => $workers }, 'remedy_plack' );
}

1;

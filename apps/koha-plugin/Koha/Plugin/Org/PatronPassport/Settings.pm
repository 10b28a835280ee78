package Koha::Plugin::Org::PatronPassport::Settings;

use Modern::Perl;

use C4::Context;
use List::Util qw( any );
use Mojo::URL;

use Koha::Plugin::Org::PatronPassport::Card      qw( compiled trimmed );
use Koha::Plugin::Org::PatronPassport::Signature qw( key_of );

# A digit somewhere, no blanks: a name is not taken for a card, whatever cards look like here.
my $DEFAULT_PATTERN = '^(?=.*[0-9])[0-9A-Za-z._-]{4,32}$';

my $LONGEST_WAIT_MS = 5000;
my $MOST_PATTERNS   = 50;

my %DEFAULT = (
    receiver_url    => q{},
    library         => q{},
    secret          => q{},
    service_user    => q{},
    staff_wait      => 1500,
    self_check_wait => 3000,
    card_patterns   => q{},
    cards_followed  => 0,
    staff           => 1,
    self_check      => 1,
    sip             => q{},
    copies          => 1,
    tell_patrons    => 0,

    # a request to join was sent, and has not been accepted
    join_waiting => 0,
);

=head1 NAME

Koha::Plugin::Org::PatronPassport::Settings - what the configuration page and koha-conf.xml say

=head1 METHODS

=head2 load

    my $settings = Koha::Plugin::Org::PatronPassport::Settings->load( $dbh, $plugin_class );

One query. A secret in koha-conf.xml (C<< <passport_secret> >> in C<< <config> >>) goes before the one of the page: it
is in no database dump.

=cut

sub load {
    my ( $class, $dbh, $plugin_class ) = @_;

    my $rows
        = $dbh->selectall_arrayref( 'SELECT plugin_key, plugin_value FROM plugin_data WHERE plugin_class = ?',
        undef, $plugin_class );
    my %stored = map { $_->[0] => $_->[1] } grep { exists $DEFAULT{ $_->[0] } && defined $_->[1] } @{$rows};

    # Once it said only whether SIP was on.
    delete $stored{sip} if ( $stored{sip} // q{} ) =~ m{\A [01] \z}xms;

    my $self = bless { %DEFAULT, %stored, secret_from => 'nowhere' }, $class;
    $self->{secret_from} = 'page' if length $self->{secret};

    my $configured = C4::Context->config('passport_secret');
    if ( defined $configured && !ref $configured && length $configured ) {
        $self->{secret}      = $configured;
        $self->{secret_from} = 'koha-conf';
    }

    return $self;
}

=head2 key, is_complete, accepted, serves, takes, wait_ms, patterns, most_patterns, has_patterns

C<key>: the secret's bytes, undef without a good one. C<is_complete>: an event can be sent, and this library does not wait to be accepted. C<accepted>: the
same settings, as they are once it is. C<serves($interface)>:
it is switched on there. C<takes($interface)>: a card that is scanned there by who is logged in is a card at the library; by SIP, where the
account is named as one of its kiosks. C<wait_ms($interface)>. C<patterns>: a reference to the list of card patterns.
C<has_patterns>: somebody has said what cards look like; without any, much else fits.

=cut

sub key {
    my ($self) = @_;

    return key_of( $self->{secret} );
}

sub is_complete {
    my ($self) = @_;

    return 0 if $self->{join_waiting};
    return length $self->{receiver_url} && length $self->{library} && defined $self->key ? 1 : 0;
}

sub accepted {
    my ($self) = @_;

    return bless { %{$self}, join_waiting => 0 }, ref $self;
}

sub serves {
    my ( $self, $interface ) = @_;

    return $self->{$interface} ? 1 : 0;
}

# Vendors of e-books and programs for booking computers log patrons in by SIP, too: whoever types a card there may be anywhere. Koha's SIP
# server logs the account itself in (C4/SIP/Sip/MsgType.pm, api_auth), as its id in SIPconfig.xml or sip_accounts (C4/SIP/Sip/Configuration.pm; C4/Auth.pm, check_api_auth).
sub takes {
    my ( $self, $interface ) = @_;

    return 1 if $interface ne 'sip';
    my $account = ( C4::Context->userenv // {} )->{id} // q{};

    return ( any { $_ eq $account } _lines( $self->{sip} ) ) ? 1 : 0;
}

sub wait_ms {
    my ( $self, $interface ) = @_;

    return 0 + ( $interface eq 'staff' ? $self->{staff_wait} : $self->{self_check_wait} );
}

sub patterns {
    my ($self) = @_;

    my @patterns = _lines( $self->{card_patterns} );

    return @patterns ? \@patterns : [$DEFAULT_PATTERN];
}

sub most_patterns {
    return $MOST_PATTERNS;
}

sub has_patterns {
    my ($self) = @_;

    return _lines( $self->{card_patterns} ) ? 1 : 0;
}

=head2 checked

    my ( $values, $faults ) = Koha::Plugin::Org::PatronPassport::Settings->checked( \%entered );

What was entered on the page, ready to be stored, and for each field that cannot be taken what is wrong: the C<key> of a sentence
(L<Koha::Plugin::Org::PatronPassport::PageWords>) and the values for its blanks. The secret is
among the values only if one was entered, or if it is to be forgotten.

=cut

sub checked {
    my ( $class, $entered ) = @_;

    my %values
        = map { $_ => trimmed( $entered->{$_} ) }
        qw( receiver_url library staff_wait self_check_wait service_user );
    my %faults;

    my $url_fault = _url_fault( $values{receiver_url} );
    $faults{receiver_url} = $url_fault if $url_fault;
    $values{receiver_url} =~ s{ /+ \z}{}xms;

    $faults{library} = { key => 'fault_library' } if !$class->is_library( $values{library} );

    foreach my $name (qw( staff_wait self_check_wait )) {
        next if $values{$name} =~ m{\A [0-9]{1,4} \z}xms && $values{$name} <= $LONGEST_WAIT_MS;
        $faults{$name} = { key => 'fault_wait', most => $LONGEST_WAIT_MS };
    }

    $faults{service_user} = { key => 'fault_service_user' }
        if ( $values{service_user} // q{} ) !~ m{\A (?: [1-9][0-9]{0,9} )? \z}xms;

    my ( $patterns, $pattern_fault ) = $class->checked_patterns( $entered->{card_patterns} );
    $values{card_patterns} = join "\n", @{$patterns};
    $faults{card_patterns} = $pattern_fault if $pattern_fault;

    $values{$_}  = $entered->{$_} ? 1 : 0 foreach qw( staff self_check copies cards_followed tell_patrons );
    $values{sip} = join "\n", _lines( $entered->{sip} );

    my $secret = trimmed( $entered->{secret} );
    $values{secret} = q{} if $entered->{forget_secret};
    if ( length $secret && !_is_mask($secret) ) {
        $values{secret} = $secret;
        $faults{secret} = { key => 'fault_secret' }
            if !defined key_of($secret);
    }

    return ( \%values, \%faults );
}

=head2 checked_patterns, is_address, is_library

    my ( $patterns, $fault ) = Koha::Plugin::Org::PatronPassport::Settings->checked_patterns($lines);

The regular expressions of these lines, with what is wrong with them. C<is_address>: the receiver may have this address, which has a host in
ASCII and nothing before it. C<is_library>: this is written as the id of a library.

=cut

sub checked_patterns {
    my ( undef, $lines ) = @_;

    my @patterns = _lines($lines);
    my ($bad) = grep { !defined compiled($_) } @patterns;
    return ( \@patterns, { key => 'fault_patterns', most => $MOST_PATTERNS } ) if @patterns > $MOST_PATTERNS;
    return ( \@patterns, { key => 'fault_pattern',  pattern => $bad } )        if defined $bad;
    return ( \@patterns, undef );
}

sub is_address {
    my ( undef, $text ) = @_;

    return $text
        =~ m{\A https?:// (?: [A-Za-z0-9._-]+ | \[::1\] ) (?: :[0-9]{1,5} )? (?: /[A-Za-z0-9._~-]+ )* \z}xms
        && !_url_fault($text) ? 1 : 0;
}

sub is_library {
    my ( undef, $text ) = @_;

    return $text =~ m{\A [A-Za-z0-9][A-Za-z0-9_-]{0,63} \z}xms ? 1 : 0;
}

# A browser, or a person, may send back what stands for the secret on the page.
sub _is_mask {
    my ($text) = @_;

    return $text =~ m{\A [*\x{2022}\x{25CF}.\s]+ \z}xms;
}

sub _lines {
    my ($text) = @_;

    return grep {length} map { trimmed($_) } split m{\R}xms, $text // q{};
}

# Cards travel in the event: in clear only to this machine, or by a container's name.
sub _url_fault {
    my ($text) = @_;

    my $url    = Mojo::URL->new($text);
    my $scheme = $url->scheme // q{};
    my $host   = $url->host   // q{};
    return { key => 'fault_address' } if $scheme !~ m{\A https? \z}xms || $host eq q{};
    return { key => 'fault_address_parts' }
        if defined $url->userinfo || length $url->query || defined $url->fragment;
    return if $scheme eq 'https';
    return if $host =~ m{\A (?: 127[.][0-9.]+ | \[::1\] | [A-Za-z0-9_-]+ ) \z}xms;
    return { key => 'fault_address_http' };
}

1;

package Koha::Plugin::Org::PatronPassport::Caller;

use Modern::Perl;

use Exporter qw( import );
use CGI      ();
use Digest::SHA qw( hmac_sha256_hex );

our @EXPORT_OK = qw( desk_of interface is_from_elsewhere sent session );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Caller - where in Koha a card came from

=head1 DESCRIPTION

Koha calls C<patron_barcode_transform> for every card and does not say why: at the desk, at the self-check, for SIP,
and also on every save of a patron (the service's own C<POST /patrons> among them), for numbers to be generated, in
the patron form, and with C<AutoSwitchPatron> for every item barcode. Only the call stack distinguishes them.

=head1 FUNCTIONS

=head2 interface

    my $interface = interface() or return;

C<staff>, C<self_check> or C<sip> when a card was scanned for a checkout; undef for everything else, and for whatever a
later Koha adds.

=cut

sub interface {
    my $place = _where_koha_called() or return;
    return if is_from_elsewhere();

    return 'staff'      if $place->{file} =~ m{ /circ/circulation[.]pl \z}xms && _is_patron_search();
    return 'self_check' if $place->{file} =~ m{ /sco/sco-main[.]pl \z}xms;

    # block patron and fee paid call the hook too: nobody borrows there
    return 'sip'
        if $place->{file} =~ m{ /SIP/Sip/MsgType[.]pm \z}xms
        && $place->{sub}  =~ m{ ::handle_(?: checkout | patron_info ) \z}xms;

    return;
}

=head2 is_from_elsewhere

    if ( is_from_elsewhere() ) { ... }

Whether a page of another site, or of another host of this one, has opened this page: with a card in the address of a link, it would scan that at
whoever follows the link and is logged in here. Browsers say so (C<Sec-Fetch-Site>, for every redirect on the way, too), where the address is https; an
older one says nothing, and a scan is a scan.

=cut

sub is_from_elsewhere {
    return ( $ENV{HTTP_SEC_FETCH_SITE} // q{} ) =~ m{\A (?: cross | same ) -site \z}xms ? 1 : 0;
}

# The frame that called Koha::Plugins->call: its file, and the sub that it stands in.
sub _where_koha_called {
    my $depth = 0;
    while ( my ( undef, $file, undef, $sub ) = caller $depth++ ) {
        next if $sub !~ m{\A Koha::Plugins::call (?: _recursive )? \z}xms;

        my $inside = ( caller $depth )[3] // q{};
        return { file => $file, sub => $inside };
    }

    return;
}

# circulation.pl calls the hook for the card that was scanned (findborrower), and with AutoSwitchPatron for each item
# (barcode). A second CGI object would show which, and would also empty Koha's caches; CGI keeps what was sent.
sub _is_patron_search {
    return length sent('findborrower') && !length sent('barcode');
}

=head2 session

The session of whoever sent this page; undef without one. A route of the API has it from Mojolicious, which leaves C<%ENV> alone
(Koha/REST/V1/Auth.pm).

=cut

sub session {
    my ($id) = ( $ENV{HTTP_COOKIE} // q{} ) =~ m{ (?: \A | ;\s* ) CGISESSID = ([^;]+) }xms;

    return $id;
}

=head2 desk_of

    my $desk = desk_of( $session, $settings->key );

A name of the desk that a session is at, in which nobody without the webhook secret recognises the session; undef without one.

=cut

sub desk_of {
    my ( $session, $key ) = @_;

    return length( $session // q{} ) ? substr hmac_sha256_hex( "desk $session", $key ), 0, 32 : undef;
}

=head2 sent

    my $card = sent('findborrower');

What the page was sent under this name, or an empty text. A second CGI object would empty Koha's caches; CGI keeps what was sent.

=cut

sub sent {
    my ($name) = @_;

    my $values = $CGI::QUERY_PARAM{$name};
    return $values->[0] // q{} if ref $values eq 'ARRAY';

    my ($value) = ( $ENV{QUERY_STRING} // q{} ) =~ m{ (?: \A | [&;] ) \Q$name\E = ([^&;]*) }xms;
    return $value // q{};
}

1;

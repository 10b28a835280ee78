package Koha::Plugin::Org::PatronPassport::PartnerCards;

use Modern::Perl;

use Exporter    qw( import );
use List::Util  qw( any uniq );
use Time::HiRes ();

use Koha::Plugin::Org::PatronPassport::Card   qw( compiled fits );
use Koha::Plugin::Org::PatronPassport::Status qw( service_status );

our @EXPORT_OK = qw( hidden_partners take_over );

=head1 NAME

Koha::Plugin::Org::PatronPassport::PartnerCards - the card patterns of this library and those of its partners

=head1 FUNCTIONS

=head2 hidden_partners

    my @names = hidden_partners( $settings, $needs->{cards} );

The partners whose cards may fit none of the patterns here, so that their patrons are not looked up. Without patterns it is nobody.

=cut

sub hidden_partners {
    my ( $settings, $partners ) = @_;

    return if !$settings->has_patterns;

    my $patterns = $settings->patterns;

    return map { $_->{name} } grep {
        !@{ $_->{patterns} }
            || any { !fits( $_, $patterns ) }
            @{ $_->{examples} }
    } @{$partners};
}

=head2 take_over

    my $answer = take_over( $plugin, $service );

Takes the patterns of all partners over from the service, or from what it has answered already (C<$service>); what it answered (L<Koha::Plugin::Org::PatronPassport::Status>). Where one of
them says nothing of its cards, or a pattern is none here, or there are too many, there are none afterwards: nobody is hidden. Where the
service does not answer, nothing is changed.

=cut

sub take_over {
    my ( $plugin, $service ) = @_;

    my $settings = $plugin->settings;
    $service //= service_status( $settings, Time::HiRes::time() );
    return $service if $service->{kind} ne 'known' || !$service->{status}{needs}{has_cards};

    my @lists    = map      { $_->{patterns} } @{ $service->{status}{needs}{cards} };
    my @patterns = uniq map { @{$_} } @lists;
    @patterns = () if ( any { !@{$_} } @lists ) || any { !defined compiled($_) } @patterns;

    # a list that has been cut off is one of these
    @patterns = () if @patterns >= $settings->most_patterns;

    $plugin->store_data( { card_patterns => join "\n", @patterns } );

    return $service;
}

1;

package Koha::Plugin::Org::PatronPassport::SeenCopies;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;

use Koha::Plugin::Org::PatronPassport::SeenJob;

my $DAY_S = 24 * 60 * 60;

our @EXPORT_OK = qw( copy_seen );

=head1 NAME

Koha::Plugin::Org::PatronPassport::SeenCopies - scans of copies, which the service may refresh then

=head1 FUNCTIONS

=head2 copy_seen

    copy_seen( $plugin, { copy => 812, seen_at => undef } );

Has the scan of a copy reported, once a day at most. Nothing is sent here, where the desk waits: the report is a background job of
Koha's own, which any of its workers does.

=cut

sub copy_seen {
    my ( $plugin, $known ) = @_;

    my $now    = time;
    my $before = $now - $DAY_S;
    return if ( $known->{seen_at} // 0 ) > $before;

    my $settings = $plugin->settings;
    return if !$settings->serves('copies') || !$settings->is_complete;

    # a job of a transaction that is undone would be announced, and not be there
    return if !C4::Context->dbh->{AutoCommit};
    return if !$plugin->copies->mark_seen( $known->{copy}, $now, $before );

    Koha::Plugin::Org::PatronPassport::SeenJob->new->enqueue( { patron_id => $known->{copy} } );

    return;
}

1;

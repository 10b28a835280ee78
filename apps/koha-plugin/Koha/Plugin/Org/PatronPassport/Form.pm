package Koha::Plugin::Org::PatronPassport::Form;

use Modern::Perl;

use Exporter qw( import );
use Koha::Token;

our @EXPORT_OK = qw( csrf_token posted_op );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Form - the forms of the plugin's pages, and whether one was sent from there

=head1 FUNCTIONS

=head2 csrf_token

The token that every form of a page has. Every release has the tokens; only since 24.05 does Koha itself require them.

=cut

sub csrf_token {
    my ($cgi) = @_;

    return Koha::Token->new->generate_csrf( { session_id => scalar $cgi->cookie('CGISESSID') } );
}

=head2 posted_op

    my $op = posted_op($cgi) // return 'not from here';

The operation of the form that was sent, empty where the page is only opened; undef for one that was not sent from here.

=cut

sub posted_op {
    my ($cgi) = @_;

    my $op = ( $cgi->request_method // 'GET' ) eq 'POST' ? $cgi->param('op') // q{} : q{};
    return $op if $op !~ m{\A cud- }xms;

    my $is_from_here = Koha::Token->new->check_csrf(
        {   session_id => scalar $cgi->cookie('CGISESSID'),
            token      => scalar $cgi->param('csrf_token'),
        }
    );

    return $is_from_here ? $op : undef;
}

1;

package Koha::Plugin::Org::PatronPassport::Notice;

use Modern::Perl;

use Exporter qw( import );
use C4::Context;
use C4::Letters ();
use Koha::Patrons;
use Mojo::File qw( path );

use Koha::Plugin::Org::PatronPassport::PageWords qw( page_words );
use Koha::Plugin::Org::PatronPassport::Problem   qw( report );

my $CODE   = 'PASSPORT_COPY';
my $MODULE = 'members';
my $FOLDER = path(__FILE__)->dirname;

# As Koha names them in its notices; what it calls "default" is the language of the catalogue, or English.
my %NOTICE_LANGUAGE = ( de => 'de-DE', es => 'es-ES', fr => 'fr-FR' );

our @EXPORT_OK = qw( notice_templates queue_notice );

=head1 NAME

Koha::Plugin::Org::PatronPassport::Notice - the notice that a patron gets once, when a copy was made

=head1 DESCRIPTION

C<PASSPORT_COPY>, of Koha's module C<members>, is an ordinary notice of Koha: libraries edit it under I<Notices and slips>. Beside the
fields of C<branches> it can have C<< <<passport_home>> >>, the name of the home library, and C<< <<passport_fields>> >>, what went to this
library, in words.

Koha processes a notice by the Template Toolkit after it has filled in values (C4/Letters.pm, GetPreparedLetter: C<_process_tt> comes last). So
nothing that comes from elsewhere is filled in by us but the home library's name, without the signs that mean something there, and words
of our own.

=head1 FUNCTIONS

=head2 notice_templates

    my @rows = notice_templates();

The notice as rows of Koha's table C<letter>: the default, and one for each language that we have. An object that is being installed has
no C<bundle_path> yet (Koha/Plugins/Base.pm, new).

=cut

sub notice_templates {
    my %words
        = map { my ( undef, $found ) = page_words( $FOLDER, $_, 'notice.json' ); ( $_ => $found ) } 'en',
        keys %NOTICE_LANGUAGE;
    my %by_language = (
        default => $words{ _default() },
        map { $NOTICE_LANGUAGE{$_} => $words{$_} } keys %NOTICE_LANGUAGE
    );

    return map {
        +{  module                 => $MODULE,
            code                   => $CODE,
            branchcode             => q{},
            name                   => $by_language{$_}{name},
            is_html                => 0,
            title                  => $by_language{$_}{title},
            content                => $by_language{$_}{content},
            message_transport_type => 'email',
            lang                   => $_,
        }
    } sort keys %by_language;
}

# The first language of the catalogue, as far as we have it.
sub _default {
    my ($language) = ( C4::Context->preference('OPACLanguages') // q{} ) =~ m{\A ( [a-z]+ ) }xms;

    return $NOTICE_LANGUAGE{ $language // q{} } ? $language : 'en';
}

=head2 queue_notice

    queue_notice( $plugin, $borrowernumber, { home => 'Midland Public Library', groups => [ 'card', 'name' ] } );

Queues the notice for this patron as an e-mail, in the patron's language where Koha translates notices. Nothing where the configuration
page does not say so, where the patron has no address, where the library has removed the notice, or where it cannot be processed as the
library has edited it, which is written down. Part of the caller's transaction.

=cut

sub queue_notice {
    my ( $plugin, $patron_id, $made ) = @_;

    return if !$plugin->settings->{tell_patrons};
    my $patron = Koha::Patrons->find($patron_id) or return;
    return if !length( $patron->notice_email_address // q{} );

    my $lang   = $patron->lang // 'default';
    my ($base) = $lang =~ m{\A ( [a-z]+ ) - }xms;
    my $ours   = C4::Context->preference('TranslateNotices')
        && $NOTICE_LANGUAGE{ $base // q{} } ? $base : _default();
    my ( undef, $words ) = page_words( $FOLDER, $ours, 'notice.json' );
    my $fields = join q{, }, grep {defined} map { $words->{groups}{$_} } @{ $made->{groups} };

    my $letter = _prepared(
        module                 => $MODULE,
        letter_code            => $CODE,
        branchcode             => $patron->branchcode,
        lang                   => $lang,
        message_transport_type => 'email',
        tables     => { branches      => $patron->branchcode },
        substitute => { passport_home => $made->{home} =~ s{[\[\]<>%]}{}gxmsr, passport_fields => $fields },
    ) or return;
    C4::Letters::EnqueueLetter(
        { letter => $letter, borrowernumber => 0 + $patron_id, message_transport_type => 'email' } );

    return;
}

# Koha dies of a notice that the Template Toolkit cannot process. An error of the database goes on: the transaction may be gone.
sub _prepared {
    my (%wanted) = @_;

    my $letter;
    return $letter if eval { $letter = C4::Letters::GetPreparedLetter(%wanted); 1 };

    my $error = $@;
    die $error if ref $error eq 'DBIx::Class::Exception';

    report( "the notice $CODE", $error );
    return;
}

1;

package Passport::KohaTable;

# koha.md, what the plugin believes about Koha, as rows: { section, names, file, from, texts, columns }.

use Modern::Perl;

use Exporter   qw( import );
use Mojo::File qw( path );

our @EXPORT_OK = qw( differences koha_table );

my $STRUCTURE = 'installer/data/mysql/kohastructure.sql';

sub koha_table {
    my ($file) = @_;

    my ( $section, @head, @rows );
    foreach my $line ( split m{\n}xms, path($file)->slurp ) {
        $section = $1 if $line =~ m{\A [#]{2} [ ] (.*) \z}xms;
        my @cells
            = $line =~ m{\A [|] .* [|] \z}xms
            ? map {s{\A \s+ | \s+ \z}{}gxmsr} split m{[|]}xms, $line, -1
            : ();
        shift @cells;
        pop @cells;
        @head = () if !@cells;
        next       if !@cells || $cells[0] =~ m{\A -+ \z}xms;
        if ( !@head ) {
            @head = @cells;
            next;
        }
        my %cell;
        @cell{@head} = @cells;
        push @rows, _row( $section, \%cell );
    }

    return @rows;
}

sub _row {
    my ( $section, $cell ) = @_;

    my %row = ( section => $section, from => $cell->{from}, for => $cell->{for}, read => $cell->{read} );
    return {
        %row,
        file    => $STRUCTURE,
        names   => [ _codes( $cell->{table} ) ],
        columns => [ _words( $cell->{columns} ) ]
        }
        if defined $cell->{table};

    my ($file) = _codes( $cell->{file} );
    my @texts = _codes( $cell->{text} );
    if ( defined $cell->{class} ) {
        my ($class)   = _codes( $cell->{class} );
        my @methods   = _words( $cell->{methods} );
        my $separator = $class eq 'Koha' || $class =~ m{ (?: Debarments | Languages | Letters | Circulation | Log ) \z }xms ? '::' : '->';
        @texts = map {"sub $_"} @methods if !@texts;
        return {
            %row,
            file  => $file,
            class => $class,
            names => [ map { $class . $separator . $_ } @methods ],
            texts => \@texts
        };
    }

    return {
        %row,
        file  => $file,
        names => [ _codes( $cell->{place} // $cell->{element} ) ],
        texts => \@texts
    };
}

sub _codes {
    my ($cell) = @_;

    return ( $cell // q{} ) =~ m{` ([^`]+) `}gxms;
}

sub _words {
    my ($cell) = @_;

    return map { split m{\s+}xms } _codes($cell);
}

# What a checkout of Koha does not have of these rows, each in a line; nothing is expected of a release before a row's own.
sub differences {
    my ( $checkout, @rows ) = @_;

    my ($release) = path( $checkout, 'Koha.pm' )->slurp =~ m{VERSION \s* = \s* "(\d\d[.]\d\d)}xms;

    # between two releases a checkout has the number of the one before
    my @expected = grep { !length $_->{from} || $_->{from} le( $release // '99.99' ) } @rows;

    return map { _missing( $checkout, $_ ) } @expected;
}

sub _missing {
    my ( $checkout, $row ) = @_;

    my $file = path( $checkout, $row->{file} );
    my $what = sprintf '%s (%s)', $row->{class} // "@{$row->{names}}", $row->{for};
    return "$what: no $row->{file}" if !-e $file;
    my $text = $file->slurp =~ s{\s+}{ }gxmsr;
    return map {"$what: no `$_` in $row->{file}"} grep { index( $text, $_ ) < 0 } @{ $row->{texts} }
        if $row->{texts};

    # a comment of a column can have any sign in it
    my ($table)
        = $text
        =~ m{ CREATE [ ] TABLE [ ] (?: IF [ ] NOT [ ] EXISTS [ ] )? `? \Q$row->{names}[0]\E `? [ ] [(] (.*?) [)] [ ]? ENGINE }xms;
    return "$what: no such table in $row->{file}" if !defined $table;

    return
        map {"$what: no column `$_`"}
        grep { $table !~ m{ (?: \A | [ ] )`?\Q$_\E`?[ ] }xms } @{ $row->{columns} };
}

1;

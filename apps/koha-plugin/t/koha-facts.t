# Whatever the plugin relies on in Koha is in koha.md, with the file that shows it.

use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use File::Temp ();
use Mojo::File qw( path );
use Test::More;

use Passport::KohaTable     qw( differences koha_table );
use Passport::TestDatabase  ();
use Passport::TestDeletions ();

my $HOME  = path("$FindBin::Bin/..");
my @ROWS  = koha_table( $HOME->child('koha.md') );
my %NAMED = map { $_ => 1 } map { @{ $_->{names} } } @ROWS;

# Without comments and documentation, which also name what is not used.
sub code_of {
    my ($file) = @_;

    return $file->slurp =~ s{^ = \w .*? ^ =cut $}{}gxmsr =~ s{^ \s* [#] .*? $}{}gxmsr;
}

my @modules = $HOME->child('Koha')->list_tree->grep(qr{[.]pm \z}xms)->each;
my @set_up  = map { $HOME->child("../../deploy/koha-testing/$_") } qw( set-up.pl koha-testing );
my @desk    = $HOME->child('Koha/Plugin/Org/PatronPassport/desk')->list->grep(qr{[.]js \z}xms)->each;
my $code    = join "\n", map { code_of($_) } @modules, @set_up;
my $scripts = join "\n", map { $_->slurp } @desk;

# Where and of which release it was read.
my $PLACE = qr{(?: (?: BW | KS | OF | UB ) [ ] )? \d\d[.]\d\d}xms;

# What a test of ours has the stand-in do.
my %OURS = map { $_ => 1 } qw( Koha::BackgroundJob->work_off );

subtest 'what is used has a row' => sub {
    my $ours  = qr{(?! Koha::Plugin::Org )}xms;
    my $class = qr{$ours (?: Koha | C4 ) (?: :: [A-Z]\w* )*}xms;

    my %used = map { $_ => 1 } $code =~ m{\b ($class -> [a-z]\w*)}gxms,
        $code =~ m{\b ($class :: [A-Za-z]\w*) [(]}gxms;
    $used{ $_ =~ s{->new->}{->}xmsr } = delete $used{$_} foreach grep {m{->new->}xms} keys %used;
    cmp_ok( keys %used, '>', 20, 'calls are found' );
    is_deeply( [ sort grep { !$NAMED{$_} } keys %used ], [], 'every call of a class of Koha' );

    my %classes = map { $_->{class} => 1 } grep { $_->{class} } @ROWS;
    my @loaded  = $code =~ m{^ \s* (?: use | require ) \s+ (?: base \s+ qw[(] \s* )? ($class) \b}gxms;
    is_deeply( [ sort grep { !$classes{$_} } @loaded ], [], 'every class that is loaded' );

    my @tables = $code =~ m{\b (?: FROM | JOIN | UPDATE | INTO ) [ ] ([a-z]\w+) \b}gxms;
    cmp_ok( @tables, '>', 30, 'tables are found' );
    is_deeply( [ sort grep { !$NAMED{$_} } @tables ], [], 'every table' );

    my @elements = grep { !m{\A passport-}xms } $scripts =~ m{getElementById[(]'([^']+)'[)]}gxms,
        $scripts =~ m{[('`\s] [#] ([a-z]+ (?: [-_][a-z]+ )+) \b}gxms;
    cmp_ok( @elements, '>', 5, 'elements are found' );
    is_deeply( [ sort grep { !$NAMED{$_} && !m{\A passport}xms } @elements ], [], 'every element of a page' );

    my @addresses = $scripts =~ m{(/ (?: cgi-bin/koha | api/v1 (?! /contrib) ) /[\w./]+)}gxms;
    cmp_ok( @addresses, '>', 1, 'addresses are found' );
    is_deeply( [ sort grep { !$NAMED{$_} } @addresses ], [], 'every address of Koha' );
};

# What somebody else has loaded is not there in a web worker that has done nothing else yet.
subtest 'each file loads the classes of Koha that it calls, and those that they need' => sub {
    my $class = qr{(?! Koha::Plugin::Org ) (?: Koha | C4 ) (?: :: [A-Z]\w* )*}xms;
    my %needs = ( 'Koha::ApiKey' => 'Koha::ApiKeys' );
    my @missing;
    foreach my $file ( @modules, grep {m{[.]pl \z}xms} @set_up ) {
        my $text   = code_of($file);
        my %loaded = map { $_ => 1 } $text =~ m{\b (?: use | require ) \s+ ($class) \b}gxms,
            $text =~ m{^ package [ ] ($class) ;}gxms;
        my %called = map { $_ => 1 } $text =~ m{\b ($class) -> [a-z]}gxms, $text =~ m{\b ($class) :: [a-z]\w* [(]}gxms;
        delete $called{'Koha::ContentSecurityPolicy'};    # in an eval: a page of 26.05 has loaded it
        push @missing, map { $file->basename . " $_" } grep { !$loaded{$_} } keys %called,
            grep {defined} @needs{ keys %called };
    }
    is_deeply( [ sort @missing ], [], 'nothing is left to chance' );
};

subtest 'what a stand-in answers has a row: it is what is believed of Koha' => sub {
    my @missing;
    foreach my $file ( map { path("$FindBin::Bin/lib/$_")->list_tree->grep(qr{[.]pm \z}xms)->each }
        qw( C4 Koha ) )
    {
        my ($class) = $file->slurp =~ m{^ package [ ] ([\w:]+) ;}xms;
        push @missing, grep { !$OURS{$_} && !$NAMED{$_} && !$NAMED{ $_ =~ s{->}{::}xmsr } }
            map {"$class->$_"} grep { !m{\A _}xms } $file->slurp =~ m{^ sub [ ] (\w+)}gxms;
    }
    is_deeply( \@missing, [], 'every method of every stand-in' );
};

# Whatever the plugin's SQL names, a test of it has met in one of these: what is not in them is an error there.
subtest 'each table and column of the stand-ins has a row' => sub {
    my $place = File::Temp->newdir;
    my $dbh   = Passport::TestSqlite::handle("$place/koha.sqlite");
    Passport::TestDatabase::create_tables( $dbh, 64 );
    Passport::TestDeletions::add_columns($dbh);
    Passport::TestDeletions::add_later_tables($dbh);
    my %known = map {
        $_->{names}[0] => { map { $_ => 1 } @{ $_->{columns} } }
    } grep { $_->{columns} } @ROWS;

    my @tables
        = grep { !m{passport|sqlite_}xms }
        @{ $dbh->selectcol_arrayref(q{SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name}) };
    cmp_ok( @tables, '>', 20, 'tables are found' );
    my @missing;
    foreach my $table (@tables) {
        my @columns = map { $_->[1] } @{ $dbh->selectall_arrayref("PRAGMA table_info($table)") };
        push @missing, map {"$table.$_"} grep { !$known{$table}{$_} } @columns;
    }
    is_deeply( \@missing, [], 'every column' );
};

subtest 'what Koha calls of the plugin has a row' => sub {
    my $class  = code_of( $HOME->child('Koha/Plugin/Org/PatronPassport.pm') );
    my @public = grep { !m{\A _}xms } $class =~ m{^ sub [ ] (\w+)}gxms;
    cmp_ok( @public, '>', 10, 'subs are found' );
    is_deeply( [ grep { !$NAMED{$_} && $code !~ m{-> $_ \b}xms } @public ],
        [], 'whatever our own code does not call' );
};

subtest 'a row says for what, and where it was read; nothing is there that nobody relies on' => sub {
    my $tests = join "\n",
        map { $_->slurp } path("$FindBin::Bin/lib")->list_tree->grep(qr{[.]pm \z}xms)->each;
    foreach my $row (@ROWS) {
        my $name = join q{ }, $row->{section}, @{ $row->{names} };
        ok( length $row->{for} && length $row->{file}, "$name: for what, and in which file" );
        like( $row->{read}, qr{\A $PLACE (?: , [ ] $PLACE )* \z}xms, "$name: where it was read" )
            if !$row->{columns};
        like( $row->{from}, qr{\A (?: \d\d[.]\d\d )? \z}xms, "$name: since when" );
        my @unused = grep {
            my $word = m{(?: -> | :: ) (\w+) \z}xms ? $1 : $_;
            index( "$code $scripts $tests", $word ) < 0
        } @{ $row->{names} };
        is_deeply( \@unused, [], "$name: something relies on it" );
    }
};

# A checkout in which all of it is there.
sub planted {
    my ($folder) = @_;

    my %text = ( 'Koha.pm' => "our \$VERSION = \"26.05.01.000\";\n" );
    foreach my $row (@ROWS) {
        $text{ $row->{file} } .= join "\n", @{ $row->{texts} // [] }, q{};
        $text{ $row->{file} } .= sprintf "CREATE TABLE `%s` (%s) ENGINE=InnoDB;\n", $row->{names}[0],
            join ', ', map {"`$_` int"} @{ $row->{columns} }
            if $row->{columns};
    }
    path( $folder, $_ )->tap( sub { $_->dirname->make_path } )->spew( $text{$_} ) foreach keys %text;

    return %text;
}

subtest 'a checkout of Koha that lacks something is told from one that has it all' => sub {
    my $folder = File::Temp->newdir;
    my %text   = planted($folder);
    is_deeply( [ differences( $folder, @ROWS ) ], [], 'all is there' );

    path( $folder, 'Koha/Plugins/Base.pm' )
        ->spew( $text{'Koha/Plugins/Base.pm'} =~ s{sub[ ]bundle_path}{}xmsr );
    path( $folder, 'installer/data/mysql/kohastructure.sql' )
        ->spew( $text{'installer/data/mysql/kohastructure.sql'} =~ s{`guarantor_id`[ ]int}{}xmsr );
    path( $folder, 'Koha/Middleware/CSRF.pm' )->remove;
    my @found = differences( $folder, @ROWS );
    like( "@found", qr{no[ ]`sub[ ]bundle_path`[ ]in[ ]Koha/Plugins/Base[.]pm}xms, 'a method' );
    like( "@found", qr{no[ ]column[ ]`guarantor_id`}xms,                           'a column' );
    like( "@found", qr{no[ ]Koha/Middleware/CSRF[.]pm}xms,                         'a file' );
    is( scalar @found, 3, 'nothing else' );

    path( $folder, 'Koha.pm' )->spew( $text{'Koha.pm'} =~ s{26[.]05[.]01}{23.11.03}xmsr );
    is( scalar differences( $folder, @ROWS ),
        2, 'what a later release brought is not missed in an earlier one' );

    my $program = "$FindBin::Bin/bin/compare-with-koha.pl";
    my $printed = qx{$^X $program $folder};
    is( $? >> 8, 1, 'the program fails' );
    like( $printed, qr{, [ ] 2 [ ] differences \n \z}xms, 'and says how much' );
};

done_testing;

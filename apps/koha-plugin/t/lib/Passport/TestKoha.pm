package Passport::TestKoha;

# One Koha for a test: a database, the plugin in it, somebody logged in, and pages to scan cards on.

use Modern::Perl;

use File::Temp ();
use FindBin    ();
use CGI        ();
use Mojo::DOM  ();

use C4::Context;
use Koha::Plugins;
use Passport::Page;
use Passport::TestDatabase;
use Koha::Plugin::Org::PatronPassport ();

our $SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
our $CLASS  = 'Koha::Plugin::Org::PatronPassport';

sub new {
    my ( $class, %with ) = @_;

    my $self = $class->new_without_plugin(%with);

    %C4::Context::CONFIG     = ( enable_plugins => 1, plack_workers => '2', database => 'koha' );
    %C4::Context::PREFERENCE = ();
    $C4::Context::USERENV    = { branch => 'MAIN', number => 51, id => 'desk1' };
    $self->{dbh}->do(q{INSERT INTO branches VALUES ('MAIN', 'Main')});
    $self->{plugin}          = $CLASS->new( { enable_plugins => 1 } );
    @Koha::Plugins::ENABLED  = ( $self->{plugin} );

    return $self;
}

# Koha's tables, and nothing of the plugin.
sub new_without_plugin {
    my ( $class, %with ) = @_;

    my $folder = File::Temp->newdir;
    my $self   = bless { folder => $folder, database => Passport::TestDatabase::create($folder) }, $class;
    Passport::TestDatabase::create_tables( $self->connect, $with{code_length} // 64 );

    return $self;
}

# The Koha of another process, with the same database; the plugin is not loaded yet.
sub attach {
    my ( $class, $koha, %config ) = @_;

    my $self = bless { %{$koha} }, $class;
    %C4::Context::CONFIG    = ( enable_plugins => 1, plack_workers => '2', database => 'koha', %config );
    $C4::Context::USERENV   = { branch => 'MAIN', number => 51, id => 'desk1' };
    @Koha::Plugins::ENABLED = ();
    $self->connect;

    return $self;
}

# A connection of this process's own: after a fork the parent's is of no use.
sub connect {
    my ($self) = @_;

    $self->{dbh} = $C4::Context::DBH = Passport::TestDatabase::handle( $self->{database} );

    return $self->{dbh};
}

# A library that is set up, with waits as short as a test wants them.
sub configure {
    my ( $self, %values ) = @_;

    $self->{plugin}->store_data(
        {   receiver_url  => 'http://127.0.0.1:9',
            library       => 'riverside',
            secret        => $SECRET,
            card_patterns => '^21234\d{9}$',
            sip           => 'desk1',
            %values,
        }
    );

    return $self;
}

sub add_patron {
    my ( $self, $cardnumber, $userid ) = @_;

    $self->{dbh}
        ->do( 'INSERT INTO borrowers (cardnumber, userid) VALUES (?, ?)', undef, $cardnumber, $userid );

    return;
}

sub add_attribute {
    my ( $self, $borrowernumber, $code, $value ) = @_;

    $self->{dbh}->do( 'INSERT INTO borrower_attributes (borrowernumber, code, attribute) VALUES (?, ?, ?)',
        undef, $borrowernumber, $code, $value );

    return;
}

# Runs the work and returns the statements that the database saw.
sub statements_of {
    my ( $self, $work ) = @_;

    return Passport::TestDatabase::statements_of( $self->{dbh}, $work );
}

# A page of the plugin as a browser gets it, after a form with these values was sent (none: the page is only opened).
sub plugin_page {
    my ( $self, $method, $sent, $language ) = @_;

    local $ENV{REQUEST_METHOD} = %{$sent} ? 'POST' : 'GET';
    local $ENV{HTTP_COOKIE}    = 'CGISESSID=abc; KohaOpacLanguage=' . ( $language // 'en' );
    $self->{plugin}{cgi} = CGI->new( { csrf_token => 'token-of-abc', %{$sent} } );
    $self->{plugin}->$method;

    return Mojo::DOM->new( $self->{plugin}{shown} );
}

# A page of Koha, requested as by a browser.
sub page {
    my ( undef, $script, $query, $method ) = @_;

    local $ENV{REQUEST_METHOD} = $method // 'GET';
    local $ENV{QUERY_STRING}   = $query;
    local $ENV{SCRIPT_NAME}    = "/intranet/$script";
    CGI::initialize_globals();

    my $file   = "$FindBin::Bin/koha/$script";
    my $result = do $file;
    die $@ || "no $file\n" if !defined $result;

    return $result;
}

1;

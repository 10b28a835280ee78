package Passport::TestRequests;

# Sends requests to the plugin's routes of a library that is set up for them: for those of requests.json, and for random ones that are
# compared with the stand-in's answers (t/bin/answer-requests.pl).

use Modern::Perl;

use Mojo::JSON qw( encode_json );
use Test::Mojo;

use Passport::TestApi;
use Passport::TestDeletions qw( add_columns );
use Passport::TestKoha;

my $BASE = '/api/v1/contrib/passport';

my %CONFIGURED = ( nothing => { secret => q{} }, 'no desk' => { staff => 0 } );
my %AS = ( "another's key" => 'Bearer user-51', "another's password" => 'Basic user-51' );

sub new {
    my ( $class, $case, $receiver_url ) = @_;

    my $koha = Passport::TestKoha->new;
    add_columns( $koha->{dbh} );
    $koha->configure(
        receiver_url => $receiver_url,
        %{ $CONFIGURED{ $case->{configured} // q{} } // {} }
    );
    my $t = Test::Mojo->new( Passport::TestApi::app( $koha->{plugin} ) );
    add_patrons( $koha, @{ $case->{patrons} // [] } );
    $koha->{dbh}->do( 'INSERT INTO items (barcode) VALUES (?)', undef, $_ ) foreach @{ $case->{items} // [] };

    return bless { koha => $koha, t => $t }, $class;
}

# The service's user is number 1 at a stand-in; patrons follow.
sub add_patrons {
    my ( $koha, @patrons ) = @_;

    my $number = 1;
    foreach my $patron (@patrons) {
        $number++;
        $koha->{dbh}->do( 'INSERT INTO borrowers (borrowernumber, cardnumber, userid, protected) VALUES (?, ?, ?, ?)',
            undef, $number, ( $patron->{cardnumber} ) x 2, $patron->{protected} ? 1 : 0 );
        $koha->add_attribute( $number, 'PASSPORTED_ID', $patron->{home_key} ) if $patron->{home_key};
        $koha->{dbh}->do( 'INSERT INTO accountlines (borrowernumber, amountoutstanding) VALUES (?, ?)',
            undef, $number, $patron->{owes} )
            if $patron->{owes};
        next if !$patron->{is_copy};
        my %row = ( version => 0, home_key => 'midland:8', fields => {} );
        $row{home_key} = $patron->{home_key} if $number > 2 && $patron->{home_key};
        $koha->{plugin}->copies->keep( $number, \%row );
    }

    return;
}

# Sends the request of a step, as whom it says, and returns the transaction.
sub send {
    my ( $self, $step ) = @_;

    my ( $method, $url ) = split m{[ ]}xms, $step->{request};
    my %headers = $step->{as} ? ( Authorization => $AS{ $step->{as} } ) : ();
    my @body    = exists $step->{body} ? encode_json( $step->{body} ) : ();
    $headers{'Content-Type'} = $step->{type} // 'application/json' if @body;
    my $ua = $self->{t}->ua;

    return $ua->start( $ua->build_tx( $method => "$BASE$url", \%headers, @body ) );
}

1;

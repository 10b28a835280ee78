use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/koha/lib", "$FindBin::Bin/..";

use Test::More;

use C4::SIP::Sip::MsgType;
use Koha::Patron;
use Passport::TestKoha;
use Passport::TestReceiver;

my $CARD = '21234000000017';

# A plugin of the library that converts one form of a card into another.
package Koha::Plugin::Com::Cleaner {

    sub new {
        my ( $class, $rewrite ) = @_;
        return bless { rewrite => $rewrite, calls => 0 }, $class;
    }

    sub patron_barcode_transform {
        my ( $self, $card ) = @_;
        $self->{calls}++;
        ${$card} = $self->{rewrite}->( ${$card} );
        return;
    }
}

package Koha::Plugin::Com::Bystander {
    sub new { return bless {}, shift }
}

package main;

sub without_letters {
    return Koha::Plugin::Com::Cleaner->new( sub { return $_[0] =~ s{\D}{}gxmsr } );
}

sub scan_at_desk {
    my ( $koha, $card ) = @_;

    return $koha->page( 'circ/circulation.pl', "findborrower=$card" );
}

sub events_of {
    my ($receiver) = @_;

    return map { Mojo::JSON::decode_json( $_->{body} )->{data} } $receiver->requests;
}

subtest 'a known patron whose card another plugin rewrites after ours is known' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url, staff_wait => 0, card_patterns => q{} );
    $koha->add_patron($CARD);
    foreach my $others ( [], [ Koha::Plugin::Com::Bystander->new ] ) {
        local @Koha::Plugins::ENABLED = ( $koha->{plugin}, @{$others}, without_letters() );
        is( scan_at_desk( $koha, "A${CARD}B" ), 'circulation.pl?borrowernumber=1', 'Koha finds the patron' );
    }
    is( $receiver->requests, 0, 'and nothing is reported' );
};

subtest 'an unknown card is reported, waited for and handed to the page as Koha looks it up' => sub {
    foreach my $is_first ( 1, 0 ) {
        my $koha     = Passport::TestKoha->new;
        my $receiver = Passport::TestReceiver->start(
            'accepts',
            sub {
                $koha->connect;
                $koha->add_patron($CARD);
            }
        );
        $koha->configure( receiver_url => $receiver->url, staff_wait => 3000 );
        local @Koha::Plugins::ENABLED
            = $is_first
            ? ( $koha->{plugin}, without_letters() )
            : ( without_letters(), $koha->{plugin} );
        is( scan_at_desk( $koha, "A${CARD}B" ), 'circulation.pl?borrowernumber=1', 'the first scan works' );
        is_deeply( [ map { $_->{cardnumber} } events_of($receiver) ], [$CARD], 'reported as it is at home' );
    }
};

subtest 'each plugin after ours is called, and one that dies or empties the card changes nothing' => sub {
    my $koha = Passport::TestKoha->new;
    $koha->configure( card_patterns => '^R-\d+$', staff_wait => 0 );
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url, card_patterns => '^R-\d+$', staff_wait => 0 );
    local @Koha::Plugins::ENABLED = (
        $koha->{plugin}, without_letters(),
        Koha::Plugin::Com::Cleaner->new( sub { die "no\n" } ),
        Koha::Plugin::Com::Cleaner->new( sub { return "R-$_[0]" } ),
    );
    local $SIG{__WARN__} = sub { };
    scan_at_desk( $koha, "A${CARD}B" );
    is_deeply( [ map { $_->{cardnumber} } events_of($receiver) ], ["R-$CARD"], 'one after the other' );

    local @Koha::Plugins::ENABLED
        = ( $koha->{plugin}, Koha::Plugin::Com::Cleaner->new( sub { return undef } ) );
    scan_at_desk( $koha, "R-$CARD" );
    is( scalar( events_of($receiver) ), 2, 'the card as it was' );
};

subtest 'what a plugin before ours did is not done again, nor what one after ours does on other pages' =>
    sub {
    my $koha = Passport::TestKoha->new->configure( staff_wait => 0 );
    $koha->add_patron($CARD);
    my ( $before, $after ) = ( without_letters(), without_letters() );
    local @Koha::Plugins::ENABLED = ( $before, $koha->{plugin}, $after );
    scan_at_desk( $koha, $CARD );
    is_deeply( [ $before->{calls}, $after->{calls} ], [ 1, 2 ], 'at the desk' );
    Koha::Patron->new( { cardnumber => '21234000000025' } )->store;
    is_deeply( [ $before->{calls}, $after->{calls} ], [ 2, 3 ], 'at a save' );
    };

subtest 'from 26.05 on SIP finds patrons by unique attributes, so they are not unknown' => sub {
    my $koha     = Passport::TestKoha->new;
    my $receiver = Passport::TestReceiver->start('accepts');
    $koha->configure( receiver_url => $receiver->url, self_check_wait => 0, staff_wait => 0 );
    $koha->{dbh}->do($_)
        foreach (
        q{INSERT INTO borrower_attribute_types (code, unique_id) VALUES ('STUDENT', 1)},
        q{INSERT INTO borrower_attribute_types (code, unique_id) VALUES ('LOCKER', 0)},
        );
    $koha->add_patron( '25678000000012', 'otto' );
    $koha->add_attribute( 1, 'STUDENT', $CARD );
    $koha->add_attribute( 1, 'LOCKER',  '21234000000033' );

    my $scan = sub {
        my ( $version, $card, $how ) = @_;
        no warnings 'redefine';
        local *Koha::version = sub { return $version };
        my $before = $receiver->requests;
        my @found  = ( $how // \&C4::SIP::Sip::MsgType::handle_checkout )->($card);
        return $receiver->requests - $before ? 'reported' : 'known';
    };
    is( $scan->( '26.05.00.000', $CARD ), 'known', 'found by Koha' );
    is( $scan->( '26.11.02.000', $CARD ), 'known', 'and in later releases' );
    is( $scan->( '26.05.00.000', '21234000000033' ),
        'reported', 'an attribute that is not unique is no card' );
    is( $scan->( '25.11.04.000', $CARD ), 'reported', 'before that Koha does not look there' );
    is( $scan->( '26.05.00.000', $CARD, sub { scan_at_desk( $koha, @_ ) } ),
        'reported', 'nor does the checkout page' );

    no warnings 'redefine';
    local *Koha::version = sub { return '26.05.00.000' };
    my ($first) = $koha->statements_of( sub { C4::SIP::Sip::MsgType::handle_checkout('25678000000012') } );
    like( $first, qr{borrower_attributes}xms, 'one query' );
    return if !Passport::TestDatabase::is_mariadb();

    # with a handful of rows an index is not worth while
    $koha->{dbh}
        ->do(q{INSERT INTO borrower_attributes SELECT seq, 'LOCKER', CONCAT('B', seq) FROM seq_1_to_5000});
    $koha->{dbh}->do('ANALYZE TABLE borrower_attributes');
    ok( Passport::TestDatabase::is_by_index( $koha->{dbh}, $first ), 'by indexes' );
};

done_testing;

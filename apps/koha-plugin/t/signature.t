use Modern::Perl;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/..";

use Mojo::File   qw( path );
use Mojo::JSON   qw( decode_json );
use MIME::Base64 qw( decode_base64 );
use Test::More;

use Koha::Plugin::Org::PatronPassport::Signature qw( headers_for key_of );

my $vectors = decode_json( path("$FindBin::Bin/../../../packages/contract/vectors/signatures.json")->slurp );

is_deeply(
    headers_for(
        key_of('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        1614265330,                                       '{"test": 2432232314}'
    ),
    {   'webhook-id'        => 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp' => 1614265330,
        'webhook-signature' => 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    'the known answer of Standard Webhooks comes out'
);

subtest 'a secret is taken exactly where the service takes it' => sub {
    cmp_ok( scalar @{ $vectors->{secrets} }, '>', 5, 'there are secrets to try' );
    foreach my $case ( @{ $vectors->{secrets} } ) {
        is( defined key_of( $case->{secret} ) ? 1 : 0, $case->{good} ? 1 : 0, $case->{name} );
    }
    is( key_of(undef), undef, 'no secret at all' );
};

subtest 'every delivery that the service accepts is signed here the same way' => sub {
    my @accepted = grep { $_->{verdict} eq 'accepted' } @{ $vectors->{cases} };
    cmp_ok( scalar @accepted, '>', 5, 'there are deliveries to try' );

    foreach my $case (@accepted) {
        my %sent = map { $_->[0] => $_->[1] } @{ $case->{headers} };
        my $body = decode_base64( $case->{body_base64} );
        my @ours = map {
            headers_for( key_of($_), $sent{'webhook-id'}, $sent{'webhook-timestamp'}, $body )
                ->{'webhook-signature'}
        } @{ $case->{secrets} };
        my %in_header = map { $_ => 1 } split q{ }, $sent{'webhook-signature'};
        ok( ( grep { $in_header{$_} } @ours ), $case->{name} );
    }
};

subtest 'no delivery that the service refuses for its signature is one of ours' => sub {
    foreach my $case ( grep { $_->{verdict} eq 'bad_signature' } @{ $vectors->{cases} } ) {
        my %sent = map { $_->[0] => $_->[1] } @{ $case->{headers} };
        next if abs( $sent{'webhook-timestamp'} - $case->{now} ) > 300;

        my @read = splice @{ [ split q{ }, $sent{'webhook-signature'} ] }, 0, 8;
        my @ours = map {
            headers_for(
                key_of($_),
                @sent{qw( webhook-id webhook-timestamp )},
                decode_base64( $case->{body_base64} )
            )->{'webhook-signature'}
        } @{ $case->{secrets} };
        my %ours = map { $_ => 1 } @ours;
        is( scalar( grep { $ours{$_} } @read ), 0, $case->{name} );
    }
};

done_testing;

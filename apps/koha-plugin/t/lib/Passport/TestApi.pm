package Passport::TestApi;

# Koha's API as far as a plugin's routes are concerned: the same OpenAPI plugin, the routes injected under /contrib,
# controllers found under Koha::Plugin, and who may call them. Tokens and sessions name their user ("Bearer user-51",
# "CGISESSID=user-51"); what comes with neither is the service's.

use Modern::Perl;

use Digest::MD5 qw( md5_hex );
use File::Temp  ();
use Mojolicious;
use Mojo::File qw( path );
use Mojo::JSON qw( encode_json );

use C4::Context;
use Koha::Patron;

our $SERVICE_USER = 90;

# A description is checked against OpenAPI's own, which leans on JSON Schema's draft 4. Where the validator came without
# that (Debian's does) it would be fetched; here it is put where the validator looks first.
my $SCHEMAS = File::Temp->newdir;

sub _provide_draft_4 {
    my $count   = { type   => 'integer', minimum => 0 };
    my $schema  = { '$ref' => '#' };
    my $schemas = { type   => 'array',  minItems => 1, items => $schema };
    my $by_name = { type   => 'object', additionalProperties => $schema };
    my $texts
        = { type => 'array', items => { type => 'string' }, minItems => 1, uniqueItems => Mojo::JSON->true };
    my @types    = qw( array boolean integer null number object string );
    my $any_type = { enum => \@types };
    my $draft_4  = {
        id          => 'http://json-schema.org/draft-04/schema#',
        type        => 'object',
        definitions => {
            positiveInteger         => $count,
            positiveIntegerDefault0 => $count,
            schemaArray             => $schemas,
            simpleTypes             => $any_type,
            stringArray             => $texts,
        },
        properties => {
            ( map { $_ => { type => 'string' } } qw( id $schema title description format ) ),
            ( map { $_ => $count } qw( maxLength minLength maxItems minItems maxProperties minProperties ) ),
            ( map { $_ => { type => 'number' } } qw( maximum minimum ) ),
            ( map { $_ => { type => 'boolean' } } qw( exclusiveMaximum exclusiveMinimum uniqueItems ) ),
            (   map { $_ => { anyOf => [ { type => 'boolean' }, $schema ] } }
                    qw( additionalItems additionalProperties )
            ),
            ( map { $_ => $by_name } qw( definitions properties patternProperties ) ),
            ( map { $_ => $schemas } qw( allOf anyOf oneOf ) ),
            default    => {},
            multipleOf => { type  => 'number', minimum => 0, exclusiveMinimum => Mojo::JSON->true },
            pattern    => { type  => 'string', format  => 'regex' },
            items      => { anyOf => [ $schema, $schemas ] },
            required   => $texts,
            enum       => { type  => 'array', minItems => 1, uniqueItems => Mojo::JSON->true },
            type       => { anyOf => [ $any_type, { type => 'array', items => $any_type, minItems => 1 } ] },
            not        => $schema,
        },
    };
    path( $SCHEMAS, md5_hex('http://json-schema.org/draft-04/schema') )->spew( encode_json($draft_4) );
    $ENV{JSON_VALIDATOR_CACHE_PATH} = "$SCHEMAS";

    return;
}

# Made once for a test file, since checking its description takes longer than most tests.
sub app {
    my ($plugin) = @_;

    $plugin->store_data( { service_user => $SERVICE_USER } );
    state $app = _make_app($plugin);

    return $app;
}

sub _make_app {
    my ($plugin) = @_;

    _provide_draft_4();
    my $routes = $plugin->api_routes;
    my %paths  = map { '/contrib/' . $plugin->api_namespace . $_ => $routes->{$_} } keys %{$routes};

    my %required = map {
        my $path = $_;
        map { ( uc("$_ ") . $path => $paths{$path}{$_}{'x-koha-authorization'}{permissions} ) }
            keys %{ $paths{$path} }
    } keys %paths;

    my $app = Mojolicious->new;
    $app->hook( before_dispatch => \&_as_the_service );
    $app->log->level('fatal');
    $app->routes->namespaces( [ 'Koha::REST::V1', 'Koha::Plugin' ] );
    $app->plugin(
        OpenAPI => {
            spec => {
                swagger  => '2.0',
                basePath => '/api/v1',
                info     => { title => 'Koha REST API', version => '1' },
                paths    => \%paths,
            },
            route => $app->routes->under('/api/v1')->to( cb => sub { return _admit( $_[0], \%required ) } ),
        }
    );

    return $app;
}

sub _as_the_service {
    my ($c) = @_;

    my $headers = $c->req->headers;
    $headers->authorization("Bearer user-$SERVICE_USER") if !$headers->authorization && !$headers->cookie;

    return;
}

# Koha/REST/V1/Auth.pm, authenticate_api_request: a token rules the cookie out, and the user needs the route's permission.
sub _admit {
    my ( $c, $required ) = @_;

    my ($number) = ( $c->req->headers->authorization // $c->req->headers->cookie ) =~ m{user-([0-9]+)}xms;
    my $user = Koha::Patron->new( { borrowernumber => $number } );
    $c->stash( 'koha.user' => $user );

    my $path
        = $c->match->endpoint->pattern->unparsed =~ s{\A /api/v1}{}xmsr =~ s{[(<] [:]? (\w+) [)>]}[{$1}]gxmsr;
    my $permissions = $required->{ $c->req->method . " $path" };
    return 1 if $number == $SERVICE_USER || ( $permissions && $user->has_permission($permissions) );

    $c->render(
        status => 403,
        json   => { error => 'Authorization failure. Missing required permission(s).' }
    );
    return 0;
}

1;

package Passport::TestApi;

# Koha's API as far as a plugin's routes are concerned: the same OpenAPI plugin, the routes injected under /contrib,
# controllers found under Koha::Plugin. Logging in is Koha's work and is not played here.

use Modern::Perl;

use Digest::MD5 qw( md5_hex );
use File::Temp  ();
use Mojolicious;
use Mojo::File qw( path );
use Mojo::JSON qw( encode_json );

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

sub app {
    my ($plugin) = @_;

    _provide_draft_4();

    my $routes = $plugin->api_routes;
    my %paths  = map { '/contrib/' . $plugin->api_namespace . $_ => $routes->{$_} } keys %{$routes};

    my $app = Mojolicious->new;
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
            route => $app->routes->under('/api/v1')->to( cb => sub { return 1 } ),
        }
    );

    return $app;
}

1;

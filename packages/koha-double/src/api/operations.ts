import { checkoutRoutes } from '../checkouts/checkout-routes.ts';
import type { Double } from '../double.ts';
import { itemRoutes } from '../items/item-routes.ts';
import { attributeRoutes } from '../patrons/attribute-routes.ts';
import { patronRoutes } from '../patrons/patron-routes.ts';
import { pluginRoutes } from '../plugin/plugin-routes.ts';
import { isFrom } from '../release.ts';
import { setupRoutes } from '../setup/setup-routes.ts';
import type { Operation, OperationSpec, Parameter } from './operation.ts';
import { reference, type JsonSchema } from './schema.ts';
import { definitionsOf } from './definitions.ts';

/** Every API route of any release, the token route and the description itself apart. */
export const operations: readonly Operation[] = [
  ...patronRoutes,
  ...attributeRoutes,
  ...itemRoutes,
  ...checkoutRoutes,
  ...setupRoutes,
  ...pluginRoutes,
];

/** Whether this Koha has the route: its release may be too old, or the plugin not installed. */
export function isThere(double: Double, operation: Operation): boolean {
  if (operation.plugin === true && !double.settings.plugin) return false;
  return operation.since === undefined || isFrom(double.settings.release, operation.since);
}

const cache = new Map<string, string>();

/** `GET /api/v1/`: the description of exactly the routes, parameters and properties that this Koha has. */
export function describeApi(double: Double): string {
  const { release, plugin } = double.settings;
  const key = `${release} ${plugin}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const paths: Record<string, Record<string, unknown>> = { '/oauth/token': { post: describe(tokenSpec) } };
  for (const operation of operations) {
    if (!isThere(double, operation)) continue;
    const path = (paths[operation.path] ??= {});
    path[operation.method.toLowerCase()] = describe(operation.spec(release));
  }
  const text = JSON.stringify({
    swagger: '2.0',
    basePath: '/api/v1',
    info: {
      title: 'Koha REST API',
      version: '1',
      license: { name: 'GPL v3,', url: 'https://www.gnu.org/licenses/gpl.txt' },
      contact: { name: 'Koha Development Team', url: 'https://koha-community.org/' },
    },
    paths,
    definitions: definitionsOf(release),
  });
  cache.set(key, text);
  return text;
}

/** The same for people: `GET /api/v1/.html`. */
export function describeApiAsPage(double: Double): string {
  const rows = operations
    .filter((operation) => isThere(double, operation))
    .map(({ key }) => `<li><code>${key}</code></li>`);
  return `<!DOCTYPE html>\n<html lang="en"><title>Koha REST API</title><h1>Koha REST API</h1><ul>${rows.join('')}</ul></html>\n`;
}

const formText = (name: string, required = false): Parameter => ({
  name,
  in: 'formData',
  required,
  type: 'string',
});

const token: JsonSchema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string' },
    expires_in: { type: 'integer' },
  },
  additionalProperties: false,
};

const tokenSpec: OperationSpec = {
  parameters: [formText('grant_type', true), formText('client_id'), formText('client_secret')],
  responses: {
    '200': token,
    '400': reference('error'),
    '403': reference('error'),
  },
  permissions: null,
};

function describe(spec: OperationSpec): unknown {
  return {
    parameters: spec.parameters,
    produces: ['application/json'],
    responses: Object.fromEntries(
      Object.entries(spec.responses).map(([status, schema]) => [
        status,
        { description: `Answer ${status}`, ...(schema === null ? {} : { schema }) },
      ]),
    ),
    ...(spec.permissions === null ? {} : { 'x-koha-authorization': { permissions: spec.permissions } }),
  };
}

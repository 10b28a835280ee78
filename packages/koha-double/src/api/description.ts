import type { Double } from '../double.ts';
import type { JsonSchema } from '../json-schema.ts';
import { definitionsOf } from './definitions.ts';
import { operationKey, type OperationSpec, type Parameter } from './operation.ts';
import { isThere, operations } from './operations.ts';
import { specOf } from './spec-cache.ts';

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
    path[operation.method.toLowerCase()] = describe(specOf(operation, release));
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
    .map((operation) => `<li><code>${operationKey(operation)}</code></li>`);
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
    '400': { $ref: '#/definitions/error' },
    '403': { $ref: '#/definitions/error' },
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

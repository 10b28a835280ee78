import type { Answer } from '../answer.ts';
import type { PermissionRule } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-table.ts';
import type { Release } from '../release.ts';
import { reference, type JsonSchema } from './schema.ts';

/** One parameter, as Swagger 2.0 writes it: beside its place, the keywords of a schema. */
export interface Parameter extends Omit<JsonSchema, 'type' | 'required'> {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header' | 'body' | 'formData';
  readonly required?: boolean;
  readonly type?: string;
  readonly collectionFormat?: 'csv' | 'multi';
  readonly schema?: JsonSchema;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route in one release: what its description says of it. */
export interface OperationSpec {
  readonly parameters: readonly Parameter[];
  /** Status -> schema of the body, or null where there is none. */
  readonly responses: Readonly<Record<string, JsonSchema | null>>;
  /** Null: no permission needed. */
  readonly permissions: PermissionRule | null;
}

/** That, with its query parameters by name: lists have some eighty, of which a request uses two. */
export interface IndexedSpec extends OperationSpec {
  readonly queryParameters: ReadonlyMap<string, Parameter>;
  /** Those that a look is taken at even when they were not sent. */
  readonly otherParameters: readonly Parameter[];
}

/** A request that was accepted: the user, the library it acts as, and its checked and converted input. */
export interface ApiCall {
  readonly double: Double;
  readonly release: Release;
  readonly user: PatronRow;
  readonly actingLibrary: string;
  readonly path: Readonly<Record<string, string | number>>;
  /** Declared query parameters that were given; lists for `q` and `_order_by`. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** The JSON that was sent, also where no body is described. */
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly embeds: readonly string[];
  readonly overrides: readonly string[];
  /** The raw query string. */
  readonly search: string;
}

type Handle = (call: ApiCall) => Answer | Promise<Answer>;

/** A route of the API. `since`: not there before; `plugin`: there only with the plugin. */
export interface Operation {
  readonly method: Method;
  readonly path: string;
  /** Method and path: the name under which faults and call log know it. */
  readonly key: string;
  readonly since?: Release;
  readonly plugin?: true;
  spec(release: Release): IndexedSpec;
  readonly handle: Handle;
}

/** Creates a route from what a release's description says of it, which is read once. */
export function buildOperation(
  method: Method,
  path: string,
  describe: (release: Release) => OperationSpec,
  handle: Handle,
): Operation {
  const known = new Map<Release, IndexedSpec>();
  const spec = (release: Release): IndexedSpec => {
    const found = known.get(release) ?? indexed(describe(release));
    known.set(release, found);
    return found;
  };
  return { method, path, key: `${method} ${path}`, spec, handle };
}

function indexed(spec: OperationSpec): IndexedSpec {
  const inQuery = spec.parameters.filter((parameter) => parameter.in === 'query');
  return {
    ...spec,
    queryParameters: new Map(inQuery.map((parameter) => [parameter.name, parameter])),
    otherParameters: spec.parameters.filter((parameter) => parameter.in !== 'query' || parameter.required),
  };
}

/** What a route of Koha is described with: those of its path and the errors, which are the same everywhere, are added. */
interface RouteDescription {
  readonly parameters?: readonly Parameter[];
  readonly answers: Readonly<Record<number, JsonSchema | null>>;
  readonly permissions: PermissionRule;
}

const errors = Object.fromEntries(
  [400, 401, 403, 404, 409, 412, 500, 503].map((status) => [String(status), reference('error')]),
);

/** Creates a route of Koha's own. */
export function buildRoute(
  method: Method,
  path: string,
  description: RouteDescription | ((release: Release) => RouteDescription),
  handle: Handle,
): Operation {
  const ids = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): Parameter => ({
    name,
    in: 'path',
    required: true,
    type: 'integer',
  }));
  const describe = (release: Release): OperationSpec => {
    const of = typeof description === 'function' ? description(release) : description;
    return {
      parameters: [...ids, ...(of.parameters ?? [])],
      responses: { ...errors, ...of.answers },
      permissions: of.permissions,
    };
  };
  return buildOperation(method, path, describe, handle);
}

export const filter = (name: string, type = 'string'): Parameter => ({ name, in: 'query', type });

export const embed = (...values: readonly string[]): Parameter => ({
  name: 'x-koha-embed',
  in: 'header',
  description: 'Embed list sent as a request header',
  type: 'array',
  items: { type: 'string', enum: values },
  collectionFormat: 'csv',
});

export const jsonBody = (schema: JsonSchema): Parameter => ({
  name: 'body',
  in: 'body',
  required: true,
  schema,
});

const texts = { in: 'query', type: 'array', items: { type: 'string' } } as const;

/** What every list route takes: matching, sorting, paging, `q`. */
export const listParameters: readonly Parameter[] = [
  { ...filter('_match'), enum: ['contains', 'exact', 'starts_with', 'ends_with'] },
  { name: '_order_by', ...texts, collectionFormat: 'csv' },
  filter('_page', 'integer'),
  filter('_per_page', 'integer'),
  { name: 'q', ...texts, collectionFormat: 'multi' },
  { name: 'query', in: 'body', required: false, schema: { type: 'object' } },
  { name: 'x-koha-request-id', in: 'header', type: 'integer' },
];

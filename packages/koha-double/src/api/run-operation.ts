import { invalid, problem, type Answer, type InputError } from '../answer.ts';
import { authenticate } from '../auth/authenticate.ts';
import { isAllowed } from '../auth/permissions.ts';
import type { CallEntry, Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-table.ts';
import { definitionsOf } from './definitions.ts';
import type { IndexedSpec, Operation, Parameter } from './operation.ts';
import { checkValue, type Definitions, type JsonSchema } from './schema.ts';

/** A request as it came in. `body` is undefined when none was sent or it was no JSON. */
export interface IncomingRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The raw query string. */
  readonly search: string;
}

/** Of what Koha can embed, that which is requested here. */
const knownEmbeds = new Set(['extended_attributes', 'account_balance']);

/**
 * The way of every API request through Koha: embed header, login, acting library, permission, names of the
 * query parameters, validation, and only then the route itself.
 */
export async function runOperation(
  double: Double,
  operation: Operation,
  request: IncomingRequest,
  entry: CallEntry,
): Promise<Answer> {
  const { release } = double.settings;
  const spec = operation.spec(release);
  const noEmbeds = refuseEmbeds(request, spec);
  if (noEmbeds !== null) return noEmbeds;
  const caller = authenticate(double, operation.method, request.headers, entry);
  if ('status' in caller) return caller;
  const refused = refusePermission(caller.user, spec) ?? refuseQuery(request.query, spec);
  if (refused !== null) return refused;
  const definitions = definitionsOf(release);
  const { lists, errors, ...checked } = checkRequest(request, spec, definitions);
  if (errors.length > 0) return invalid(errors);
  const embeds = lists['x-koha-embed'] ?? [];
  const unknown = embeds.find((name) => !knownEmbeds.has(name));
  if (unknown !== undefined) return problem(500, `The stand-in does not know how to embed ${unknown}`);
  const answer = await operation.handle({
    double,
    release,
    ...caller,
    headers: request.headers,
    json: request.body,
    search: request.search,
    ...checked,
    embeds,
    overrides: lists['x-koha-override'] ?? [],
  });
  return refuseAnswer(answer, spec, definitions) ?? answer;
}

/** Koha validates its answers too: one that does not fit is a 500 that names the place (`Mojolicious/Plugin/OpenAPI.pm`, `_render`). */
function refuseAnswer(answer: Answer, { responses }: IndexedSpec, definitions: Definitions): Answer | null {
  const schema = responses[String(answer.status)] ?? responses['default'] ?? null;
  if (schema === null || answer.text !== undefined || answer.body === undefined) return null;
  const { errors } = checkValue(answer.body, schema, '/body', { definitions, of: 'answer' });
  return errors.length > 0 ? invalid(errors, 500) : null;
}

function refusePermission(user: PatronRow, { permissions }: IndexedSpec): Answer | null {
  if (permissions === null || isAllowed(user.permissions, permissions)) return null;
  return problem(403, 'Authorization failure. Missing required permission(s).', {
    required_permissions: permissions,
  });
}

/** Embeds on a route without any: a bare string, before anybody is logged in. */
function refuseEmbeds({ headers }: IncomingRequest, { parameters }: IndexedSpec): Answer | null {
  if ((headers['x-koha-embed'] ?? '') === '') return null;
  if (parameters.some(({ name }) => name === 'x-koha-embed')) return null;
  return { status: 400, body: 'Embedding objects is not allowed on this endpoint.' };
}

/** Unknown query parameters and a page size of 0: a bare list. */
function refuseQuery(query: URLSearchParams, { queryParameters }: IndexedSpec): Answer | null {
  const errors = [...new Set(query.keys())].flatMap((name): InputError[] => {
    const path = `/query/${name}`;
    if (!queryParameters.has(name)) return [{ path, message: 'Malformed query string' }];
    const isNone = ['_page', '_per_page'].includes(name) && query.get(name) === '0';
    return isNone ? [{ path, message: 'Invalid value: 0' }] : [];
  });
  return errors.length === 0 ? null : { status: 400, body: errors };
}

/** A request's parts, converted as declared, and what the validator has to say about them. */
interface CheckedRequest {
  readonly path: Record<string, string | number>;
  readonly query: Record<string, unknown>;
  /** Headers that are lists. */
  readonly lists: Record<string, readonly string[]>;
  body: unknown;
  readonly errors: InputError[];
}

/** Checks a request against its route's parameters, in the words of Koha's validator. */
function checkRequest(
  request: IncomingRequest,
  spec: IndexedSpec,
  definitions: Definitions,
): Readonly<CheckedRequest> {
  const checked: CheckedRequest = { path: {}, query: {}, lists: {}, body: undefined, errors: [] };
  for (const parameter of wanted(request, spec)) {
    const given = read(request, parameter);
    const path = `/${parameter.name}`;
    if (given === undefined) {
      if (parameter.required === true) checked.errors.push({ message: 'Missing property.', path });
      continue;
    }
    const result = checkValue(given, schemaOf(parameter), path, { definitions, of: 'request' });
    checked.errors.push(...result.errors);
    keep(checked, parameter, result.value);
  }
  return checked;
}

/** Most query parameters are not required: those that were not sent need no look. */
function* wanted({ query }: IncomingRequest, spec: IndexedSpec): Iterable<Parameter> {
  yield* spec.otherParameters;
  for (const name of new Set(query.keys())) {
    const parameter = spec.queryParameters.get(name);
    if (parameter !== undefined && parameter.required !== true) yield parameter;
  }
}

function keep(checked: CheckedRequest, { in: place, name }: Parameter, value: unknown): void {
  if (place === 'path') checked.path[name] = typeof value === 'number' ? value : String(value);
  if (place === 'query') checked.query[name] = value;
  if (place === 'header' && Array.isArray(value)) checked.lists[name] = value.map(String);
  if (place === 'body') checked.body = value;
}

function read(
  { path, query, headers, body }: IncomingRequest,
  { in: place, name, type, collectionFormat }: Parameter,
): unknown {
  const isList = type === 'array';
  if (place === 'path') return path[name];
  if (place === 'header') return isList ? headers[name]?.split(',') : headers[name];
  if (place === 'body') return body;
  const all = query.getAll(name);
  if (!isList) return all.at(-1);
  if (all.length === 0) return undefined;
  return collectionFormat === 'csv' ? all.flatMap((part) => part.split(',')) : all;
}

function schemaOf({ schema, required: _required, ...keywords }: Parameter): JsonSchema {
  return schema ?? keywords;
}

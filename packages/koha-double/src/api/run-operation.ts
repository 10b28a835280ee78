import { invalid, problem, type Answer, type InputError } from '../answer.ts';
import { actingLibrary, authenticate } from '../auth/authenticate.ts';
import { isAllowed } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import type { CallEntry } from '../control/call-log.ts';
import type { Definitions } from '../json-schema.ts';
import { emptyColumns } from '../patrons/new-patron-columns.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import { checkRequest, type CheckedRequest, type RawRequest } from './check-request.ts';
import { checkValue } from './check-value.ts';
import { definitionsOf } from './definitions.ts';
import type { Operation, OperationSpec } from './operation.ts';
import { specOf, type IndexedSpec } from './spec-cache.ts';

/** A request as it came in, with the URL parts that links are built from. */
export interface IncomingRequest extends RawRequest {
  readonly url: string;
  readonly search: string;
}

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
  const spec = specOf(operation, release);
  const noEmbeds = refuseEmbeds(request, spec);
  if (noEmbeds !== null) return noEmbeds;
  const caller = operation.isPublic === true ? admitAnyone(double) : admit(double, operation, request, entry);
  if ('status' in caller) return caller;
  const refused = refusePermission(caller.user, spec);
  if (refused !== null) return refused;
  const malformed = refuseQuery(request.query, spec);
  if (malformed !== null) return malformed;
  const checked = checkRequest(request, spec, definitionsOf(release));
  if (checked.errors.length > 0) return invalid(checked.errors);
  const answer = await operation.handle({
    double,
    release,
    ...caller,
    headers: request.headers,
    url: request.url,
    search: request.search,
    ...inputOf(checked),
  });
  return refuseAnswer(answer, spec, definitionsOf(release)) ?? answer;
}

/** Koha validates its answers too: one that does not fit is a 500 that names the place (`Mojolicious/Plugin/OpenAPI.pm`, `_render`). */
function refuseAnswer(answer: Answer, spec: OperationSpec, definitions: Definitions): Answer | null {
  const schema = spec.responses[String(answer.status)] ?? spec.responses['default'] ?? null;
  if (schema === null || answer.text !== undefined || answer.body === undefined) return null;
  const { errors } = checkValue(answer.body, schema, '/body', { definitions, of: 'answer' });
  return errors.length > 0 ? invalid(errors, 500) : null;
}

interface Caller {
  readonly user: PatronRow;
  readonly actingLibrary: string;
}

function admit(
  double: Double,
  operation: Operation,
  request: IncomingRequest,
  entry: CallEntry,
): Caller | Answer {
  const who = authenticate(double, operation.method, request.headers);
  if (who.kind === 'refused') return who.answer;
  entry.client_id = who.identity.clientId;
  const acting = actingLibrary(double, who.identity, request.headers);
  return typeof acting === 'string' ? { user: who.identity.user, actingLibrary: acting } : acting;
}

function admitAnyone(double: Double): Caller | Answer {
  if (double.settings.maintenance) return problem(503, 'System is under maintenance.');
  if (double.settings.preferences.RESTPublicAPI !== '1') {
    return problem(403, 'Configuration prevents the usage of this endpoint by unprivileged users');
  }
  return { user: anonymousPatron(double), actingLibrary: '' };
}

function refusePermission(user: PatronRow, spec: OperationSpec): Answer | null {
  if (spec.permissions === null || isAllowed(user.permissions, spec.permissions)) return null;
  return problem(403, 'Authorization failure. Missing required permission(s).', {
    required_permissions: spec.permissions,
  });
}

function inputOf(checked: CheckedRequest): {
  path: CheckedRequest['path'];
  query: CheckedRequest['query'];
  body: unknown;
  embeds: readonly string[];
  overrides: readonly string[];
} {
  return {
    path: checked.path,
    query: checked.query,
    body: checked.body,
    embeds: checked.lists['x-koha-embed'] ?? [],
    overrides: checked.lists['x-koha-override'] ?? [],
  };
}

/** Embeds on a route without any: a bare string, before anybody is logged in. */
function refuseEmbeds(request: RawRequest, spec: OperationSpec): Answer | null {
  const embed = request.headers['x-koha-embed'];
  if (embed === undefined || embed === '') return null;
  if (spec.parameters.some((parameter) => parameter.name === 'x-koha-embed')) return null;
  return { status: 400, body: 'Embedding objects is not allowed on this endpoint.' };
}

/** Unknown query parameters and a page size of 0: a bare list. */
function refuseQuery(query: URLSearchParams, spec: IndexedSpec): Answer | null {
  const known = spec.queryParameters;
  const errors = [...new Set(query.keys())].flatMap((name): InputError[] => {
    const path = `/query/${name}`;
    if (!known.has(name)) return [{ path, message: 'Malformed query string' }];
    const isNone = ['_page', '_per_page'].includes(name) && query.get(name) === '0';
    return isNone ? [{ path, message: 'Invalid value: 0' }] : [];
  });
  return errors.length === 0 ? null : { status: 400, body: errors };
}

/** Somebody without a record, a library or a permission. */
function anonymousPatron(double: Double): PatronRow {
  return {
    patron_id: 0,
    columns: emptyColumns(double),
    hidden: {},
    attributes: [],
    account_balance: 0,
    permissions: new Set(),
    api_keys: [],
  };
}

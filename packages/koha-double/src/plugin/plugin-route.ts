import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { problem, type Answer } from '../answer.ts';
import {
  buildOperation,
  type ApiCall,
  type Operation,
  type OperationSpec,
  type Parameter,
} from '../api/operation.ts';
import type { JsonSchema } from '../api/schema.ts';
import type { PermissionRule } from '../auth/permissions.ts';

const FILE = 'apps/koha-plugin/Koha/Plugin/Org/PatronPassport/openapi.json';

type Responses = Readonly<Record<string, { readonly schema?: JsonSchema }>>;

interface DescribedRoute {
  readonly parameters?: readonly Parameter[];
  readonly responses: Responses;
  readonly 'x-koha-authorization'?: { readonly permissions: PermissionRule };
}

interface Description {
  /** Those of every route, beside its own. */
  readonly responses: Responses;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedRoute>>>>;
}

let read: Description | undefined;

/** The plugin's own description, by which a Koha validates its routes: from this repository, or the image that has a part of it. */
function description(): Description {
  read ??= JSON.parse(readFileSync(find(import.meta.dirname), 'utf8')) as Description;
  return read;
}

function find(folder: string): string {
  const file = join(folder, FILE);
  if (existsSync(file)) return file;
  const above = dirname(folder);
  if (above === folder) throw new Error(`no ${FILE} above the stand-in`);
  return find(above);
}

function specOf(method: string, path: string): OperationSpec {
  const { responses, paths } = description();
  const route = paths[path]?.[method.toLowerCase()];
  if (route === undefined) throw new Error(`${FILE} has no ${method} ${path}`);
  return {
    parameters: route.parameters ?? [],
    responses: Object.fromEntries(
      Object.entries({ ...responses, ...route.responses }).map(([status, { schema }]) => [
        status,
        schema ?? null,
      ]),
    ),
    permissions: route['x-koha-authorization']?.permissions ?? null,
  };
}

/** Whom a route serves beside its permission (the plugin's `Route.pm`): the desk's panel too, whoever has an API key, or the service's user alone. */
type Served = 'desk' | 'key' | 'service';

/** A route of the plugin: its description is the plugin's (`Koha/REST/Plugin/PluginRoutes.pm`), what it does is ours. */
export function pluginRoute(
  served: Served,
  method: Operation['method'],
  path: string,
  handle: Operation['handle'],
): Operation {
  const operation = buildOperation(
    method,
    `/contrib/passport${path}`,
    () => specOf(method, path),
    (call) => refusalOf(call, served) ?? refuseBody(call, method) ?? handle(call),
  );
  return { ...operation, plugin: true };
}

/** In the order of the plugin's `Route.pm`. All but the desk's own take no session's cookie, and no password. */
function refusalOf(call: ApiCall, served: Served): Answer | null {
  if (served !== 'desk' && call.headers['authorization']?.startsWith('Bearer ') !== true)
    return problem(403, 'This takes the token of an API key only', { error_code: 'no_key' });
  if (call.double.settings.plugin_disabled)
    return problem(404, 'The plugin is not enabled here', { error_code: 'plugin_disabled' });
  if (served !== 'service' || isServiceUser(call)) return null;
  const error = "This serves only the user whom the plugin is configured with as the service's";
  return problem(403, error, { error_code: 'not_the_service' });
}

/** True for the user whom the plugin's configuration page names. */
export const isServiceUser = ({ double, user }: ApiCall): boolean =>
  double.settings.plugin_service_user !== null &&
  user.columns.cardnumber === double.settings.plugin_service_user;

/** Koha reads a body as JSON whatever its type is said to be; the plugin's routes do not (its `Route.pm`). */
function refuseBody({ headers }: ApiCall, method: Operation['method']): Answer | null {
  const isJson = /^\s*application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '');
  if (isJson || !['POST', 'PUT'].includes(method)) return null;
  return problem(415, 'This takes application/json only', { error_code: 'not_json' });
}

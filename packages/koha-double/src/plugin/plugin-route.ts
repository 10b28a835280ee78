import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Operation, OperationSpec, Parameter, Method } from '../api/operation.ts';
import type { PermissionRule } from '../auth/permissions.ts';
import type { JsonSchema } from '../json-schema.ts';

const FILE = 'apps/koha-plugin/Koha/Plugin/Org/PatronPassport/openapi.json';
const BASE = '/contrib/passport';

interface DescribedRoute {
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
  readonly 'x-koha-authorization'?: { readonly permissions: PermissionRule };
}

type Description = Readonly<Record<string, Readonly<Record<string, DescribedRoute>>>>;

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

/** A route of the plugin: its description is the plugin's (`Koha/REST/Plugin/PluginRoutes.pm`), what it does is ours. */
export function pluginRoute(method: Method, path: string, handle: Operation['handle']): Operation {
  return { method, path: `${BASE}${path}`, plugin: true, spec: () => specOf(method, path), handle };
}

function specOf(method: Method, path: string): OperationSpec {
  const route = description()[path]?.[method.toLowerCase()];
  if (route === undefined) throw new Error(`${FILE} has no ${method} ${path}`);
  return {
    parameters: route.parameters ?? [],
    responses: Object.fromEntries(
      Object.entries(route.responses).map(([status, { schema }]) => [status, schema ?? null]),
    ),
    permissions: route['x-koha-authorization']?.permissions ?? null,
  };
}

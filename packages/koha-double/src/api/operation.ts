import type { Answer } from '../answer.ts';
import type { PermissionRule } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import type { JsonSchema } from '../json-schema.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import type { Release } from '../release.ts';

/** One parameter, as Swagger 2.0 writes it: beside its place, the keywords of a schema. */
export interface Parameter extends Omit<JsonSchema, 'type' | 'required'> {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header' | 'body' | 'formData';
  readonly required?: boolean;
  readonly type?: string;
  readonly collectionFormat?: 'csv' | 'multi';
  readonly schema?: JsonSchema;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route in one release: what its description says of it. */
export interface OperationSpec {
  readonly parameters: readonly Parameter[];
  /** Status -> schema of the body, or null where there is none. */
  readonly responses: Readonly<Record<string, JsonSchema | null>>;
  /** Null: no permission needed. */
  readonly permissions: PermissionRule | null;
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
  readonly headers: Readonly<Record<string, string>>;
  readonly embeds: readonly string[];
  readonly overrides: readonly string[];
  /** Scheme, host and path of the request, for `Link` and `Location`. */
  readonly url: string;
  /** The raw query string. */
  readonly search: string;
}

/** A route of the API. `since`: not there before; `plugin`: there only with the plugin. */
export interface Operation {
  readonly method: Method;
  readonly path: string;
  readonly since?: Release;
  readonly plugin?: true;
  /** Under `/public`: nobody has to log in, where the preference `RESTPublicAPI` is on. */
  readonly isPublic?: true;
  spec(release: Release): OperationSpec;
  handle(call: ApiCall): Answer | Promise<Answer>;
}

/** The name under which faults, call log and metrics know a route. */
export function operationKey(operation: Pick<Operation, 'method' | 'path'>): string {
  return `${operation.method} ${operation.path}`;
}

import type { InputError } from '../answer.ts';
import type { Definitions, JsonSchema } from '../json-schema.ts';
import { checkValue } from './check-value.ts';
import type { Parameter } from './operation.ts';
import type { IndexedSpec } from './spec-cache.ts';

/** A request's parts before they are checked. `body` is undefined when none was sent or it was no JSON. */
export interface RawRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: URLSearchParams | undefined;
  readonly body: unknown;
}

/** A request's parts, converted as declared. */
interface Parts {
  readonly path: Record<string, string | number>;
  readonly query: Record<string, unknown>;
  readonly lists: Record<string, readonly string[]>;
  body: unknown;
}

/** Those, and what the validator has to say about them. */
export interface CheckedRequest extends Readonly<Parts> {
  readonly errors: readonly InputError[];
}

/** Checks a request against its route's parameters, in the words of Koha's validator. */
export function checkRequest(raw: RawRequest, spec: IndexedSpec, definitions: Definitions): CheckedRequest {
  const errors: InputError[] = [];
  const checked: Parts = { path: {}, query: {}, lists: {}, body: undefined };
  for (const parameter of wanted(raw, spec)) {
    const given = read(raw, parameter);
    const path = `/${parameter.name}`;
    if (given === undefined) {
      if (parameter.required === true) errors.push({ message: 'Missing property.', path });
      continue;
    }
    const result = checkValue(given, schemaOf(parameter), path, { definitions, of: 'request' });
    errors.push(...result.errors);
    keep(checked, parameter, result.value);
  }
  return { ...checked, errors };
}

/** Most query parameters are not required: those that were not sent need no look. */
function* wanted(raw: RawRequest, spec: IndexedSpec): Iterable<Parameter> {
  yield* spec.otherParameters;
  for (const name of new Set(raw.query.keys())) {
    const parameter = spec.queryParameters.get(name);
    if (parameter !== undefined && parameter.required !== true) yield parameter;
  }
}

function keep(checked: Parts, parameter: Parameter, value: unknown): void {
  switch (parameter.in) {
    case 'path':
      checked.path[parameter.name] = typeof value === 'number' ? value : String(value);
      return;
    case 'query':
    case 'formData':
      checked.query[parameter.name] = value;
      return;
    case 'header':
      if (Array.isArray(value)) checked.lists[parameter.name] = value.map(String);
      return;
    case 'body':
      checked.body = value;
      return;
    default:
      parameter.in satisfies never;
  }
}

function read(raw: RawRequest, parameter: Parameter): unknown {
  switch (parameter.in) {
    case 'path':
      return raw.path[parameter.name];
    case 'query':
      return readQuery(raw.query, parameter);
    case 'formData':
      return raw.form?.get(parameter.name) ?? undefined;
    case 'header':
      return readHeader(raw.headers[parameter.name], parameter);
    case 'body':
      return raw.body;
    default:
      return parameter.in satisfies never;
  }
}

function readQuery(query: URLSearchParams, parameter: Parameter): unknown {
  if (parameter.type !== 'array') return query.getAll(parameter.name).at(-1);
  const all = query.getAll(parameter.name);
  if (all.length === 0) return undefined;
  return parameter.collectionFormat === 'csv' ? all.flatMap((part) => part.split(',')) : all;
}

function readHeader(value: string | undefined, parameter: Parameter): unknown {
  return value !== undefined && parameter.type === 'array' ? value.split(',') : value;
}

function schemaOf({ schema, required: _required, ...keywords }: Parameter): JsonSchema {
  return schema ?? keywords;
}

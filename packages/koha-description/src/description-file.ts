import { isRecord } from './is-record.ts';

/** One parameter of the description, references resolved. */
export interface DescribedParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: unknown;
  readonly items?: { readonly enum?: readonly string[] };
}

export interface DescribedOperation {
  readonly parameters: readonly DescribedParameter[];
  /** Status -> schema, or null where the answer has no body. */
  readonly responses: ReadonlyMap<string, unknown>;
}

export interface DescribedApi {
  readonly definitions: Readonly<Record<string, unknown>>;
  /** `POST /patrons` -> what the description says of it. */
  readonly operations: ReadonlyMap<string, DescribedOperation>;
}

const methods = ['get', 'post', 'put', 'patch', 'delete'];

/** Reads a Swagger 2.0 document with local references, as Koha writes it. */
export function readDescription(document: unknown): DescribedApi {
  const root = isRecord(document) ? document : {};
  const parameters = recordOf(root['parameters']);
  const operations = new Map<string, DescribedOperation>();
  for (const [path, item] of Object.entries(recordOf(root['paths']))) {
    for (const [method, operation] of Object.entries(recordOf(item))) {
      if (!methods.includes(method)) continue;
      operations.set(`${method.toUpperCase()} ${path}`, readOperation(recordOf(operation), parameters));
    }
  }
  return { definitions: recordOf(root['definitions']), operations };
}

function readOperation(
  operation: Readonly<Record<string, unknown>>,
  shared: Readonly<Record<string, unknown>>,
): DescribedOperation {
  const listed = operation['parameters'];
  const parameters = Array.isArray(listed) ? listed.map((entry) => readParameter(entry, shared)) : [];
  const responses = new Map<string, unknown>();
  for (const [status, response] of Object.entries(recordOf(operation['responses']))) {
    responses.set(status, recordOf(response)['schema'] ?? null);
  }
  return { parameters, responses };
}

function readParameter(entry: unknown, shared: Readonly<Record<string, unknown>>): DescribedParameter {
  const found = recordOf(entry);
  const reference = found['$ref'];
  const resolved =
    typeof reference === 'string' ? recordOf(shared[reference.replace('#/parameters/', '')]) : found;
  return resolved as unknown as DescribedParameter;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

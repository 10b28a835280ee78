import { isRecord } from './is-record.ts';

/** One parameter of the description, references resolved. */
export interface DescribedParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly schema?: unknown;
  readonly items?: { readonly enum?: readonly string[] };
}

export interface DescribedOperation {
  readonly parameters: readonly DescribedParameter[];
  /** Status -> schema, or null where the answer has no body. */
  readonly responses: ReadonlyMap<string, unknown>;
}

export interface DescribedApi {
  /** The whole document, to which its references lead. */
  readonly document: Readonly<Record<string, unknown>>;
  /** `POST /patrons` -> what the description says of it. */
  readonly operations: ReadonlyMap<string, DescribedOperation>;
}

const methods = ['get', 'post', 'put', 'patch', 'delete'];

/** Reads a Swagger 2.0 document whose references are all local, such as `#/parameters/page`. */
export function readDescription(source: unknown): DescribedApi {
  const document = isRecord(source) ? source : {};
  const operations = new Map<string, DescribedOperation>();
  for (const [path, item] of Object.entries(resolve(document['paths'], document))) {
    for (const [method, operation] of Object.entries(resolve(item, document))) {
      if (!methods.includes(method)) continue;
      operations.set(
        `${method.toUpperCase()} ${path}`,
        readOperation(resolve(operation, document), document),
      );
    }
  }
  return { document, operations };
}

function readOperation(
  operation: Readonly<Record<string, unknown>>,
  document: DescribedApi['document'],
): DescribedOperation {
  const listed = Array.isArray(operation['parameters']) ? operation['parameters'] : [];
  const parameters = listed.map((entry) => resolve(entry, document) as unknown as DescribedParameter);
  const responses = new Map<string, unknown>();
  for (const [status, response] of Object.entries(resolve(operation['responses'], document))) {
    responses.set(status, resolve(response, document)['schema'] ?? null);
  }
  return { parameters, responses };
}

/** The object that `value` is or refers to; an empty one where there is none. */
export function resolve(
  value: unknown,
  document: DescribedApi['document'],
): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return {};
  const reference = value['$ref'];
  if (typeof reference !== 'string') return value;
  const steps = decodeURIComponent(reference).split('/').slice(1);
  const found = steps.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null
        ? Reflect.get(at, step.replaceAll('~1', '/').replaceAll('~0', '~'))
        : undefined,
    document,
  );
  return resolve(found, document);
}

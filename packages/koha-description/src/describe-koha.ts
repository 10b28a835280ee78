import { Ajv, type ValidateFunction } from 'ajv';
import { readDescription, resolve, type DescribedApi, type DescribedOperation } from './description-file.ts';
import { isErrorShape } from './error-shapes.ts';
import { isRecord } from './is-record.ts';
import { readKohaDocument } from './read-koha-document.ts';

/** One request and its answer, as a Koha or a double of one exchanged them. */
export interface KohaExchange {
  readonly method: string;
  /** Path template without the base path, or null where no route fitted. */
  readonly path: string | null;
  /** The raw query string. */
  readonly query: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined when there was none. */
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseBody: unknown;
  /** Made by a fault: the answer says nothing about Koha. */
  readonly isScripted: boolean;
}

/** What is wrong with one exchange; both lists are empty when it fits. */
export interface CheckedExchange {
  /** Whether the description has this route at all; if not, nothing was checked. */
  readonly isDescribed: boolean;
  readonly request: readonly string[];
  readonly answer: readonly string[];
}

/** Koha's own description, as a judge of requests and answers. */
export interface KohaDescription {
  check(exchange: KohaExchange): CheckedExchange;
}

/** Statuses that Koha's framework answers on any route, described or not. */
const anywhere = new Set(['400', '401', '403', '404', '500', '503']);

/**
 * Reads Koha's description from `place`, as `readKohaDocument` does. Resolves with null when no place is given, so that a
 * test can say that it skips. Complaints name paths and keywords, never values.
 */
export async function describeKoha(place: string | undefined): Promise<KohaDescription | null> {
  if (place === undefined || place === '') return null;
  return buildDescription(readDescription(await readKohaDocument(place)));
}

function buildDescription(api: DescribedApi): KohaDescription {
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
  ajv.addFormat('date', (text) => isDate(text));
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/);
  ajv.addSchema({ $id: 'koha', ...api.document });
  const compiled = new Map<string, ValidateFunction>();
  const fits = (value: unknown, schema: unknown, where: string): string[] => {
    const key = JSON.stringify(schema);
    const validate = compiled.get(key) ?? ajv.compile(absolute(schema));
    compiled.set(key, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      (error) => `${where}${error.instancePath}: ${error.keyword} ${JSON.stringify(error.params)}`,
    );
  };
  return {
    check: (exchange) => {
      const operation = api.operations.get(`${exchange.method} ${exchange.path ?? ''}`);
      if (operation === undefined) return { isDescribed: false, request: [], answer: [] };
      return {
        isDescribed: true,
        request: requestProblems(exchange, operation, api, fits),
        answer: exchange.isScripted ? [] : answerProblems(exchange, operation, fits),
      };
    },
  };
}

type Fits = (value: unknown, schema: unknown, where: string) => string[];

function requestProblems(
  exchange: KohaExchange,
  operation: DescribedOperation,
  api: DescribedApi,
  fits: Fits,
): string[] {
  const problems: string[] = [];
  const known = new Set(operation.parameters.filter((one) => one.in === 'query').map((one) => one.name));
  for (const name of new Set(new URLSearchParams(exchange.query).keys())) {
    if (!known.has(name)) problems.push(`query/${name}: not described`);
  }
  for (const parameter of operation.parameters) {
    const header = parameter.in === 'header' ? exchange.requestHeaders[parameter.name] : undefined;
    const listed = parameter.items?.enum;
    for (const value of header === undefined || listed === undefined ? [] : header.split(',')) {
      if (listed?.includes(value) !== true)
        problems.push(`${parameter.name}: a value that is not in the list`);
    }
    if (parameter.in !== 'body' || parameter.schema === undefined) continue;
    if (exchange.requestBody === undefined) {
      if (parameter.required === true) problems.push('body: missing');
    } else {
      problems.push(...fits(exchange.requestBody, parameter.schema, 'body'));
      problems.push(...readOnlyProblems(exchange.requestBody, parameter.schema, api));
    }
  }
  return problems;
}

/** ajv takes `readOnly` for a remark; Koha refuses a request that has such a property. */
function readOnlyProblems(body: unknown, schema: unknown, api: DescribedApi): string[] {
  if (!isRecord(body)) return [];
  const properties = resolve(resolve(schema, api.document)['properties'], api.document);
  return Object.keys(body)
    .filter((name) => resolve(properties[name], api.document)['readOnly'] === true)
    .map((name) => `body/${name}: readOnly`);
}

function answerProblems(exchange: KohaExchange, operation: DescribedOperation, fits: Fits): string[] {
  const status = String(exchange.status);
  const schema = operation.responses.get(status);
  if (schema === undefined && !anywhere.has(status)) return [`status ${status}: not described`];
  if (exchange.status >= 400) return isErrorShape(exchange.responseBody) ? [] : [`${status}: no error shape`];
  if (schema === null || schema === undefined) {
    return exchange.responseBody === undefined ? [] : [`${status}: a body where none is described`];
  }
  return fits(exchange.responseBody, objectSchema(schema, exchange.responseBody), `answer ${status}`);
}

/** Koha writes `items` for a single patron, which checks nothing; the patron is meant, unless it is hidden. */
function objectSchema(schema: unknown, body: unknown): unknown {
  const items = isRecord(schema) && schema['type'] === undefined ? schema['items'] : undefined;
  const isHidden = isRecord(body) && body['patron_id'] === null;
  return items === undefined || Array.isArray(body) || isHidden ? schema : items;
}

/** Local references, as seen from outside of the document. */
function absolute(schema: unknown): object {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"koha#/');
  return JSON.parse(text) as object;
}

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${text}T`);
}

import { Ajv, type ValidateFunction } from 'ajv';
import { readDescription, type DescribedApi, type DescribedOperation } from './description-file.ts';
import { isErrorShape } from './error-shapes.ts';
import type { CheckedExchange, KohaExchange } from './exchange.ts';
import { isRecord } from './is-record.ts';
import { readKohaDocument } from './read-koha-document.ts';
import { requestProblems, type Fits } from './request-problems.ts';

/** Checks requests and answers against Koha's own description. */
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
  const fits: Fits = (value, schema, where) => {
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

import {
  resolve,
  type DescribedApi,
  type DescribedOperation,
  type DescribedParameter,
} from './description-file.ts';
import type { KohaExchange } from './exchange.ts';
import { isRecord } from './is-record.ts';

/** Complaints about a value that does not fit a schema; each begins with `where`. */
export type Fits = (value: unknown, schema: unknown, where: string) => string[];

/** Headers that every route takes, and those of releases after the one that a description may be of. */
const ANY_ROUTE = new Set(['x-koha-library', 'x-confirm-not-duplicate']);

/** What a request has that the description does not allow, and what it lacks. */
export function requestProblems(
  exchange: KohaExchange,
  { parameters }: DescribedOperation,
  api: DescribedApi,
  fits: Fits,
): string[] {
  const of = (place: string): DescribedParameter[] => parameters.filter((one) => one.in === place);
  return [
    ...queryProblems(exchange, of('query')),
    ...headerProblems(exchange, of('header')),
    ...formProblems(exchange, of('formData')),
    ...of('body').flatMap((parameter) => bodyProblems(exchange, parameter, api, fits)),
  ];
}

function queryProblems({ query }: KohaExchange, known: readonly DescribedParameter[]): string[] {
  return [...new URLSearchParams(query)].flatMap(([name, value]) => {
    const parameter = known.find((one) => one.name === name);
    if (parameter === undefined) return [`query/${name}: not described`];
    if (parameter.type === 'integer' && !/^-?\d+$/.test(value)) return [`query/${name}: no integer`];
    return parameter.enum?.includes(value) === false
      ? [`query/${name}: a value that is not in the list`]
      : [];
  });
}

function headerProblems({ requestHeaders }: KohaExchange, known: readonly DescribedParameter[]): string[] {
  return Object.entries(requestHeaders)
    .filter(([name]) => name.startsWith('x-') && !ANY_ROUTE.has(name))
    .flatMap(([name, value]) => {
      const parameter = known.find((one) => one.name === name);
      if (parameter === undefined) return [`${name}: not described`];
      const listed = parameter.items?.enum;
      return value
        .split(',')
        .filter((part) => listed?.includes(part) === false)
        .map(() => `${name}: a value that is not in the list`);
    });
}

function formProblems({ requestBody }: KohaExchange, known: readonly DescribedParameter[]): string[] {
  if (known.length === 0) return [];
  const sent = isRecord(requestBody) ? Object.keys(requestBody) : [];
  return [
    ...known
      .filter(({ name, required }) => required === true && !sent.includes(name))
      .map(({ name }) => `form/${name}: missing`),
    ...sent
      .filter((name) => !known.some((one) => one.name === name))
      .map((name) => `form/${name}: not described`),
  ];
}

function bodyProblems(
  { requestBody, requestHeaders }: KohaExchange,
  { schema, required }: DescribedParameter,
  api: DescribedApi,
  fits: Fits,
): string[] {
  if (schema === undefined) return [];
  if (requestBody === undefined) return required === true ? ['body: missing'] : [];
  const isJson = requestHeaders['content-type']?.startsWith('application/json') === true;
  return [
    ...(isJson ? [] : ['body: not sent as JSON']),
    ...fits(requestBody, schema, 'body'),
    ...readOnlyProblems(requestBody, schema, api),
  ];
}

/** ajv takes `readOnly` for a remark; Koha refuses a request that has such a property. */
function readOnlyProblems(body: unknown, schema: unknown, api: DescribedApi): string[] {
  if (!isRecord(body)) return [];
  const properties = resolve(resolve(schema, api.document)['properties'], api.document);
  return Object.keys(body)
    .filter((name) => resolve(properties[name], api.document)['readOnly'] === true)
    .map((name) => `body/${name}: readOnly`);
}

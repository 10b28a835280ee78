import { reference } from '../json-schema.ts';
import type { OperationSpec, Parameter } from './operation.ts';

export const pathId = (name: string): Parameter => ({ name, in: 'path', required: true, type: 'integer' });

export const filter = (name: string, type = 'string'): Parameter => ({
  name,
  in: 'query',
  required: false,
  type,
});

export const embed = (...values: readonly string[]): Parameter => ({
  name: 'x-koha-embed',
  in: 'header',
  required: false,
  description: 'Embed list sent as a request header',
  type: 'array',
  items: { type: 'string', enum: values },
  collectionFormat: 'csv',
});

export const jsonBody = (schema: NonNullable<Parameter['schema']>): Parameter => ({
  name: 'body',
  in: 'body',
  required: true,
  schema,
});

/** What every list route takes: matching, sorting, paging, `q`. */
export const listParameters: readonly Parameter[] = [
  {
    name: '_match',
    in: 'query',
    required: false,
    type: 'string',
    enum: ['contains', 'exact', 'starts_with', 'ends_with'],
  },
  {
    name: '_order_by',
    in: 'query',
    required: false,
    type: 'array',
    items: { type: 'string' },
    collectionFormat: 'csv',
  },
  filter('_page', 'integer'),
  filter('_per_page', 'integer'),
  {
    name: 'q',
    in: 'query',
    required: false,
    type: 'array',
    items: { type: 'string' },
    collectionFormat: 'multi',
  },
  { name: 'query', in: 'body', required: false, schema: { type: 'object' } },
  { name: 'x-koha-request-id', in: 'header', required: false, type: 'integer' },
];

/** The error answers that nearly every route declares. */
export function withErrors(
  responses: OperationSpec['responses'],
  ...statuses: readonly number[]
): OperationSpec['responses'] {
  const error = reference('error');
  const all = [...statuses, 400, 401, 403, 500, 503];
  return { ...responses, ...Object.fromEntries(all.map((status) => [String(status), error])) };
}

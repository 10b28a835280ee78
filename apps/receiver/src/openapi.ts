import { eventStateSchema, SCAN_INTERFACES } from '@passport/contract';
import { z } from 'zod';
import { PROBLEM_CODES, PROBLEM_TYPE } from './problem.ts';

const problemAnswer = (description: string): object => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
});
const retryAnswer = (description: string): object => ({
  ...problemAnswer(description),
  headers: { 'retry-after': { schema: { type: 'integer', minimum: 1 }, description: 'Seconds' } },
});

const header = (name: string, pattern: string, description: string): object => ({
  name,
  in: 'header',
  required: true,
  schema: { type: 'string', pattern },
  description,
});

const signatureHeaders = [
  header('webhook-id', '^[A-Za-z0-9_-]{1,128}$', 'Unique per event, the same on every delivery of it'),
  header('webhook-timestamp', '^[1-9]\\d{0,11}$', 'Unix seconds of this delivery, at most 300 s off'),
  header('webhook-signature', '^v1,', 'Standard Webhooks 1.0: v1,BASE64(HMAC-SHA256), space-separated'),
];
const library = { name: 'library', in: 'path', required: true, schema: { type: 'string' } };

const eventSchema = {
  type: 'object',
  required: ['type', 'timestamp', 'data'],
  properties: {
    type: { type: 'string', enum: ['patron.not_found', 'passport.test'] },
    timestamp: { type: 'string', format: 'date-time', description: 'When the card was scanned, with offset' },
    data: {
      type: 'object',
      required: ['cardnumber', 'branch', 'interface'],
      properties: {
        cardnumber: { type: 'string', minLength: 1, maxLength: 32 },
        branch: { type: 'string', minLength: 1, maxLength: 10 },
        item_barcode: { type: ['string', 'null'], minLength: 1, maxLength: 64 },
        interface: { type: 'string', enum: [...SCAN_INTERFACES] },
        operator: { type: ['integer', 'null'] },
      },
    },
  },
};

const acceptedSchema = {
  type: 'object',
  required: ['event_id', 'status'],
  properties: {
    event_id: { type: 'string', description: 'The id to follow; on a join the first event’s' },
    status: { const: 'accepted' },
    duplicate: { const: true },
    joined: { const: true },
    test: { const: true },
    ignored: { const: true },
  },
};

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: PROBLEM_CODES, description: 'Stable' },
    detail: { type: 'string' },
    field: { type: 'string', description: 'The field or header that does not fit' },
  },
};

/** OpenAPI 3.1 of everything the receiver answers. The state's schema is the one that the answers are made with. */
export function buildOpenApi(): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Patron Passport receiver', version: '1.0.0', license: { name: 'GPL-3.0-or-later' } },
    paths: {
      '/webhooks/{library}': {
        post: {
          summary: 'Report that a scanned card is unknown',
          parameters: [library, ...signatureHeaders],
          requestBody: { required: true, content: { 'application/json': { schema: eventSchema } } },
          responses: {
            202: { description: 'Redis has it', content: { 'application/json': { schema: acceptedSchema } } },
            400: problemAnswer('A header is missing, repeated or malformed; not JSON or UTF-8'),
            401: problemAnswer('Bad signature, timestamp outside the window, or unknown library'),
            409: problemAnswer('Same webhook-id, different body'),
            413: problemAnswer('Larger than 16 KiB'),
            415: problemAnswer('Not application/json'),
            422: problemAnswer('Signed, but data does not fit; names the field'),
            429: retryAnswer('Over the library’s rate or backlog'),
            503: retryAnswer('Redis cannot take it now, or the process is stopping'),
          },
        },
      },
      '/webhooks/{library}/{id}': {
        get: {
          summary: 'The state of an event, signed over an empty body',
          parameters: [library, { ...library, name: 'id' }, ...signatureHeaders],
          responses: {
            200: {
              description: 'The state',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/EventState' } } },
            },
            400: problemAnswer('A header is missing, repeated or malformed'),
            401: problemAnswer('Bad signature, timestamp outside the window, unknown library, or another id'),
            404: problemAnswer('Unknown event'),
            503: retryAnswer('Redis does not answer now'),
          },
        },
      },
    },
    components: {
      schemas: { EventState: z.toJSONSchema(eventStateSchema), Problem: problemSchema },
    },
  };
}

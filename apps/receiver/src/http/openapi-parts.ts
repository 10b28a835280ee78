import { PROBLEM_TYPE } from './problem.ts';

/* What the receiver's description is made of. */

export const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
export const jsonAnswer = (description: string, schema: object): object => ({
  description,
  content: { 'application/json': { schema } },
});
export const problemAnswer = (description: string): object => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: ref('Problem') } },
});
export const retryAnswer = (description: string): object => ({
  ...problemAnswer(description),
  headers: { 'retry-after': { schema: { type: 'integer', minimum: 1 }, description: 'Seconds' } },
});

export const pathPart = (name: string, description: string): object => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description,
});
export const header = (name: string, pattern: string, description: string): object => ({
  name,
  in: 'header',
  required: true,
  schema: { type: 'string', pattern },
  description,
});

export const library = pathPart('library', 'The lending library’s id');
export const signatureHeaders = [
  header('webhook-id', '^[A-Za-z0-9_-]{1,128}$', 'Unique per event, the same on every delivery of it'),
  header('webhook-timestamp', '^[1-9]\\d{0,11}$', 'Unix seconds of this delivery, at most 300 s off'),
  header(
    'webhook-signature',
    '^v1,',
    'Standard Webhooks 1.0: v1,BASE64(HMAC-SHA256(secret, id.timestamp.body)), several separated by one space',
  ),
];

export const signed = [{ signature: [] }];

export const malformed = problemAnswer(
  'A header is missing, repeated or malformed; not JSON or UTF-8; not HTTP',
);
export const tooSlow = problemAnswer('The request took too long to arrive');

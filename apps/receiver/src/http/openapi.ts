import {
  LONGEST_JOIN_REQUEST,
  REMEMBERED_HOURS,
  cancelAnswerSchema,
  consentAnsweredSchema,
  eventStateSchema,
  libraryStatusSchema,
  patronNotFoundSchema,
  patronSeenSchema,
  scanCancelledSchema,
  scanDecidedSchema,
  elsewhereRequestedSchema,
  joinEnvelopeSchema,
  joinRequestSchema,
  patronElsewhereSchema,
  statusRequestedSchema,
} from '@passport/contract';
import * as z from 'zod';
import { NOT_FOUND_REASONS } from '../deliveries/refusal.ts';
import { PROBLEM_CODES, PROBLEM_TYPE, UNAUTHORIZED_REASONS } from './problem.ts';

const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const jsonAnswer = (description: string, schema: object): object => ({
  description,
  content: { 'application/json': { schema } },
});
const problemAnswer = (description: string): object => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: ref('Problem') } },
});
const retryAnswer = (description: string): object => ({
  ...problemAnswer(description),
  headers: { 'retry-after': { schema: { type: 'integer', minimum: 1 }, description: 'Seconds' } },
});
const parameter = (where: 'path' | 'header', name: string, description: string, pattern?: string) => ({
  name,
  in: where,
  required: true,
  schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) },
  description,
});

const library = parameter('path', 'library', 'The lending library’s id');
const id = parameter('path', 'id', 'The event’s webhook-id');
const signatureHeaders = [
  parameter(
    'header',
    'webhook-id',
    'Unique per event, the same on every delivery of it',
    '^[A-Za-z0-9_-]{1,128}$',
  ),
  parameter(
    'header',
    'webhook-timestamp',
    'Unix seconds of this delivery, at most 300 s off',
    '^[1-9]\\d{0,11}$',
  ),
  parameter(
    'header',
    'webhook-signature',
    'Standard Webhooks 1.0: v1,BASE64(HMAC-SHA256(secret, id.timestamp.body)), several separated by one space',
    '^v1,',
  ),
];
const tooSlow = problemAnswer('The request took too long to arrive');
const UNSIGNED = 'Bad signature, timestamp outside the window, or unknown library';
const UNSIGNED_FOR_EVENT = 'Bad signature, timestamp outside the window, unknown library, or another id';

/** A signed request; `responses` are those that not every one of them has, or not with these words. */
const signed = (operationId: string, summary: string, parameters: object[], responses: object): object => ({
  operationId,
  security: [{ signature: [] }],
  summary,
  parameters: [library, ...parameters, ...signatureHeaders],
  responses: {
    400: problemAnswer('A header is missing, repeated or malformed; not JSON or UTF-8; not HTTP'),
    401: problemAnswer(parameters.length === 0 ? UNSIGNED : UNSIGNED_FOR_EVENT),
    408: tooSlow,
    503: retryAnswer('Redis does not answer now, or the process is stopping'),
    ...responses,
  },
});

/** The same with a body. */
const posted = (
  operationId: string,
  summary: string,
  body: string,
  parameters: object[],
  responses: object,
): object => ({
  ...signed(operationId, summary, parameters, {
    413: problemAnswer('Larger than 16 KiB'),
    415: problemAnswer('Not application/json'),
    429: retryAnswer('Over the library’s rate'),
    ...responses,
  }),
  requestBody: { required: true, content: { 'application/json': { schema: ref(body) } } },
});

/** OpenAPI has no word for a signature over the body: it is described as the header that holds it. */
const signatureScheme = {
  type: 'apiKey',
  in: 'header',
  name: 'webhook-signature',
  description: 'Standard Webhooks 1.0, with a webhook secret of the library',
};
const LICENSE = { name: 'GPL-3.0-or-later', identifier: 'GPL-3.0-or-later' };

const mark = (description: string): object => ({ const: true, description });
const acceptedSchema = {
  type: 'object',
  required: ['event_id', 'status'],
  additionalProperties: false,
  properties: {
    event_id: { type: 'string', description: 'The id to follow; of a double scan the first event’s' },
    status: { const: 'accepted' },
    duplicate: mark('This event was accepted before'),
    joined: mark('A double scan: it follows the first event'),
    cancelled: mark('It was cancelled before it came: it has ended, and nothing was written'),
    test: mark('A test: nothing was queued'),
    ignored: mark('A type that is of no interest: nothing was queued'),
  },
};

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  additionalProperties: false,
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: PROBLEM_CODES, description: 'Stable' },
    detail: { type: 'string' },
    field: { type: 'string', description: 'The field or header that does not fit' },
    reason: {
      type: 'string',
      enum: [...UNAUTHORIZED_REASONS, ...NOT_FOUND_REASONS],
      description:
        'With 401. clock: the timestamp is outside the window; library: the secret is of a library with another id; ' +
        'signature: the secret or the library id is wrong. ' +
        'With 404 of a cancel. not_seen: the event has not come; not_kept: it has, and its record is not kept any more',
    },
  },
};

const PATHS = {
  '/webhooks/{library}': {
    post: posted(
      'reportScan',
      'Report that a scanned card is unknown, or that a copy was scanned',
      'Event',
      [],
      {
        202: jsonAnswer('Redis has it', ref('Accepted')),
        409: problemAnswer('Same webhook-id, different body'),
        422: problemAnswer('Signed, but data does not fit; names the field'),
        429: retryAnswer('Over the library’s rate or backlog'),
        503: retryAnswer('Redis cannot take it now, or the process is stopping'),
      },
    ),
  },
  '/webhooks/{library}/{id}': {
    get: signed(
      'readEvent',
      'The state of an event, signed over an empty body; does not count against the rate',
      [id],
      { 200: jsonAnswer('The state', ref('EventState')), 404: problemAnswer('Unknown event') },
    ),
  },
  '/webhooks/{library}/{id}/cancel': {
    post: posted(
      'cancelEvent',
      'Cancel an event: nothing more is written for it, and it says what was; may be repeated',
      'ScanCancelled',
      [id],
      {
        200: jsonAnswer('It is decided what was written and what was not', ref('CancelAnswer')),
        202: jsonAnswer(
          'PENDING: a checkout may be on its way, and nothing after it will be; follow the state',
          ref('CancelAnswer'),
        ),
        404: problemAnswer(
          `Nothing is known of this event (not_seen), or not any more (not_kept). Should it still come, within ${REMEMBERED_HOURS} hours, it is cancelled`,
        ),
        422: problemAnswer('Signed, but is not scan.cancelled; names the field'),
        503: retryAnswer(
          'Redis does not answer now, or the process is stopping; it may be cancelled all the same',
        ),
      },
    ),
  },
  '/webhooks/{library}/{id}/consent': {
    post: posted(
      'answerConsent',
      'The patron’s answer, where an event waits for their consent; the first one holds, and may be repeated',
      'ConsentAnswered',
      [id],
      {
        200: jsonAnswer('Redis has it, and the event goes on', {
          type: 'object',
          required: ['event_id', 'answer'],
          additionalProperties: false,
          properties: { event_id: { type: 'string' }, answer: { enum: ['yes', 'no'] } },
        }),
        404: problemAnswer('Unknown event'),
        409: problemAnswer(
          'It does not wait for a consent, has another answer, or was put with another text',
        ),
        422: problemAnswer('Signed, but does not fit; names the field'),
        503: retryAnswer('Redis does not answer now, or the process is stopping; repeat it'),
      },
    ),
  },
  '/webhooks/{library}/{id}/decision': {
    post: posted(
      'decideScan',
      'What staff have decided, where an event waits for that: its home, or why a refusal is overridden; the first decision holds, and may be repeated',
      'ScanDecided',
      [id],
      {
        200: jsonAnswer('Redis has it, and the event goes on', {
          type: 'object',
          required: ['event_id', 'option'],
          additionalProperties: false,
          properties: { event_id: { type: 'string' }, option: { type: 'string' } },
        }),
        404: problemAnswer('Unknown event'),
        409: problemAnswer(
          'It does not wait for this, something else was decided, this was no option, or the scan is of another branch',
        ),
        422: problemAnswer('Signed, but does not fit; names the field'),
        503: retryAnswer('Redis does not answer now, or the process is stopping; repeat it'),
      },
    ),
  },
  '/webhooks/{library}/service/status': {
    post: posted(
      'readStatus',
      'How the service is for this library: workers, pauses, its outcomes and failures; an answer is good for two seconds',
      'StatusRequested',
      [],
      {
        200: jsonAnswer('The status, of this library alone', ref('LibraryStatus')),
        422: problemAnswer('Signed, but is not library.status_requested; names the field'),
      },
    ),
  },
  '/webhooks/{library}/service/elsewhere': {
    post: posted(
      'readElsewhere',
      'Where a patron of this library has copies, which fields went there, and what is owed: of its own patrons alone',
      'ElsewhereRequested',
      [],
      {
        200: jsonAnswer(
          'The copies that are on record; none where there is no such patron',
          ref('PatronElsewhere'),
        ),
        422: problemAnswer('Signed, but is not patron.elsewhere_requested; names the field'),
      },
    ),
  },
  '/join': {
    get: {
      operationId: 'showJoinPage',
      security: [],
      summary: 'What a join link opens: a page that says what to do with it, and has the downloads',
      responses: {
        200: { description: 'The page', content: { 'text/html': { schema: { type: 'string' } } } },
        400: problemAnswer('Not HTTP'),
        408: tooSlow,
        503: retryAnswer('The process is stopping'),
      },
    },
    post: {
      operationId: 'askToJoin',
      security: [],
      summary: 'Asks to join, by an invitation; an operator decides. Repeating it changes nothing',
      requestBody: { required: true, content: { 'application/json': { schema: ref('JoinEnvelope') } } },
      responses: {
        202: jsonAnswer('It waits for an operator', {
          type: 'object',
          required: ['fingerprint'],
          additionalProperties: false,
          properties: {
            fingerprint: {
              type: 'string',
              pattern: '^\\d{5}( \\d{5}){3}$',
              description: 'To be compared by telephone: of the SHA-256 of `body`',
            },
          },
        }),
        400: problemAnswer('Not HTTP'),
        404: problemAnswer('No such invitation, an ended or used one, or not authenticated by it'),
        408: tooSlow,
        409: problemAnswer('Another request waits at this invitation, or an operator has discarded this one'),
        413: problemAnswer(`Larger than ${LONGEST_JOIN_REQUEST} bytes`),
        415: problemAnswer('Not application/json'),
        422: problemAnswer('Authenticated, but does not fit, or its time is off; names the field'),
        503: retryAnswer('Redis does not answer now, or the process is stopping'),
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'readDescription',
      security: [],
      summary: 'This description',
      responses: {
        200: jsonAnswer('This description', {
          type: 'object',
          required: ['openapi', 'paths'],
          properties: { openapi: { type: 'string' }, paths: { type: 'object' } },
        }),
        400: problemAnswer('Not HTTP'),
        408: tooSlow,
        503: retryAnswer('The process is stopping'),
      },
    },
  },
};

const { properties: joinProperties = {}, ...joinShape } = z.toJSONSchema(joinEnvelopeSchema);
const joinBody = { contentMediaType: 'application/json', contentSchema: ref('JoinRequest') };
/** The request is a text in it, whose bytes are authenticated. */
const joinEnvelope = {
  ...joinShape,
  properties: { ...joinProperties, body: { allOf: [joinProperties['body'] ?? {}, joinBody] } },
};

/** OpenAPI 3.1 of the receiver. Events and states are described by the schemas that read and make them. */
export function buildOpenApi(version: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Patron Passport receiver', version, license: LICENSE },
    servers: [{ url: '/', description: 'The receiver that this was read from' }],
    paths: PATHS,
    components: {
      securitySchemes: { signature: signatureScheme },
      schemas: {
        Event: { anyOf: [ref('PatronNotFound'), ref('PatronSeen')] },
        PatronNotFound: z.toJSONSchema(patronNotFoundSchema, { io: 'input' }),
        PatronSeen: z.toJSONSchema(patronSeenSchema, { io: 'input' }),
        ScanCancelled: z.toJSONSchema(scanCancelledSchema, { io: 'input' }),
        ConsentAnswered: z.toJSONSchema(consentAnsweredSchema, { io: 'input' }),
        ScanDecided: z.toJSONSchema(scanDecidedSchema, { io: 'input' }),
        StatusRequested: z.toJSONSchema(statusRequestedSchema, { io: 'input' }),
        LibraryStatus: z.toJSONSchema(libraryStatusSchema),
        ElsewhereRequested: z.toJSONSchema(elsewhereRequestedSchema, { io: 'input' }),
        PatronElsewhere: z.toJSONSchema(patronElsewhereSchema),
        JoinEnvelope: joinEnvelope,
        JoinRequest: z.toJSONSchema(joinRequestSchema),
        Accepted: acceptedSchema,
        EventState: z.toJSONSchema(eventStateSchema),
        CancelAnswer: z.toJSONSchema(cancelAnswerSchema),
        Problem: problemSchema,
      },
    },
  };
}

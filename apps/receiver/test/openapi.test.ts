import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { buildScanEvent, signedRequest, startRedis, type StartedRedis } from '@passport/testkit';
import { type ReceiverFixture, SECRET, openReceiver, reportingLibrary } from './receiver-fixture.ts';
import { STATUS_CONSORTIUM } from './status-libraries.ts';

interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
  readonly headers?: Readonly<Record<string, unknown>>;
}
interface Description {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, { responses: Record<string, Answer> }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

let server: StartedRedis;
let receiver: ReceiverFixture;
let description: Description;
let ajv: Ajv2020;
beforeAll(async () => {
  server = await startRedis();
  receiver = await openReceiver({ redisUrl: server.url, consortium: STATUS_CONSORTIUM });
  description = (await (await fetch(`${receiver.url}/openapi.json`)).json()) as Description;
  ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': true } });
  ajv.addSchema({ $id: 'openapi', ...description });
});
afterAll(async () => {
  await receiver.close();
  await server.stop();
});

const WEBHOOK = '/webhooks/{library}';
const JOIN = '/join';
const STATUS = '/webhooks/{library}/{id}';
const CANCEL = '/webhooks/{library}/{id}/cancel';
const CONSENT = '/webhooks/{library}/{id}/consent';
const SERVICE = '/webhooks/{library}/service/status';
const escaped = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');

/** What the description says of an answer, as a validator of its body. */
function describedAs(
  path: string,
  method: string,
  status: number,
  type: string,
): ValidateFunction | undefined {
  const pointer = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
  return ajv.getSchema(`openapi#/${pointer.map(escaped).join('/')}`);
}

async function expectDescribed(path: string, method: string, response: Response): Promise<void> {
  const described = description.paths[path]?.[method]?.responses[String(response.status)];
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const validate = describedAs(path, method, response.status, type);
  const body: unknown = await response.json();

  expect({ status: response.status, type, isDescribed: validate !== undefined }).toMatchObject({
    isDescribed: true,
  });
  expect({ valid: validate?.(body), errors: validate?.errors }).toEqual({ valid: true, errors: null });
  for (const header of Object.keys(described?.headers ?? {})) {
    expect([header, response.headers.get(header)]).toEqual([header, expect.stringMatching(/^[1-9]\d*$/)]);
  }
}

const post = (change: Partial<Parameters<typeof signedRequest>[0]> = {}, init: RequestInit = {}) => {
  const { headers, ...request } = signedRequest({ secret: SECRET, id: 'evt_1', ...change });
  return fetch(`${receiver.url}/webhooks/riverside`, {
    ...request,
    ...init,
    headers: { ...headers, ...(init.headers as Record<string, string> | undefined) },
  });
};
const otherCard = buildScanEvent({ cardnumber: '21234000000018' });
const SEEN = JSON.stringify({
  type: 'patron.seen',
  timestamp: '2026-11-25T09:00:00.000+00:00',
  data: { patron_id: 812 },
});

async function limited(limits: Partial<ReturnType<typeof reportingLibrary>['limits']>): Promise<Response> {
  const library = reportingLibrary('riverside');
  receiver.libraries.set('riverside', { ...library, limits: { ...library.limits, ...limits } });
  const answer = await post({ id: 'evt_7', body: otherCard });
  receiver.libraries.set('riverside', library);
  return answer;
}

async function overRate(): Promise<Response> {
  const slow = { eventsPerSecond: 0.001, burst: 1 };
  await limited(slow);
  return limited(slow);
}

async function stopping(): Promise<Response> {
  receiver.clock.stopping = true;
  const answer = await post();
  receiver.clock.stopping = false;
  return answer;
}

const body = buildScanEvent();
const POSTS: readonly (readonly [name: string, status: number, send: () => Promise<Response>])[] = [
  ['accepted', 202, () => post({ body })],
  ['duplicate', 202, () => post({ body })],
  ['joined', 202, () => post({ id: 'evt_2' })],
  ['test', 202, () => post({ id: 'evt_3', body: '{"type":"passport.test"}' })],
  ['a copy that was scanned', 202, () => post({ id: 'evt_8', body: SEEN })],
  ['ignored', 202, () => post({ id: 'evt_4', body: '{"type":"other"}' })],
  ['a header missing', 400, () => post({}, { headers: { 'webhook-id': '' } })],
  ['not JSON', 400, () => post({ id: 'evt_5', body: '{' })],
  ['a bad signature', 401, () => post({ timestamp: 1 })],
  ['a reused id', 409, () => post({ body: otherCard })],
  ['too large', 413, () => post({ body: ' '.repeat(20_000) })],
  ['another content type', 415, () => post({}, { headers: { 'content-type': 'text/plain' } })],
  ['an unfit field', 422, () => post({ id: 'evt_6', body: buildScanEvent({ branch: '' }) })],
  ['no object', 422, () => post({ id: 'evt_6', body: '[]' })],
  ['over the backlog', 429, () => limited({ backlog: 1 })],
  ['over the rate', 429, overRate],
  ['stopping', 503, stopping],
];

describe('the description', () => {
  test('it is OpenAPI 3.1, of the version that the receiver has', () => {
    expect(description.info.version).toBe('1.2.3');
    expect(description.openapi).toMatch(/^3\.1\.\d+$/);
  });

  test.each(POSTS)('an answer of the webhook is as described: %s, %i', async (_name, status, send) => {
    const response = await send();

    expect(response.status).toBe(status);
    await expectDescribed(WEBHOOK, 'post', response);
  });

  test.each([
    ['unknown', 404, '{}'],
    ['too large', 413, ' '.repeat(9_000)],
  ])('a request to join is answered as described: %s, %i', async (_name, status, text) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${receiver.url}/join`, { method: 'POST', headers, body: text });

    expect(response.status).toBe(status);
    await expectDescribed(JOIN, 'post', response);
  });

  test.each([
    ['known', 200, 'evt_1', SECRET],
    ['unknown', 404, 'evt_none', SECRET],
    ['a bad signature', 401, 'evt_1', `whsec_${Buffer.alloc(32, 'x').toString('base64')}`],
  ])('an answer of the state is as described: %s, %i', async (_name, status, id, secret) => {
    const { headers } = signedRequest({ secret, id, body: '' });
    const response = await fetch(`${receiver.url}/webhooks/riverside/${id}`, { headers });

    expect(response.status).toBe(status);
    await expectDescribed(STATUS, 'get', response);
  });

  test.each([
    ['known', 200, 'evt_1', '{"type":"scan.cancelled","timestamp":"2026-11-25T09:00:00.000+00:00"}'],
    ['unknown', 404, 'evt_none', '{"type":"scan.cancelled","timestamp":"2026-11-25T09:00:00.000+00:00"}'],
    ['no cancel', 422, 'evt_1', '{"type":"other"}'],
    ['no JSON', 400, 'evt_1', '{'],
  ])('an answer to a cancel is as described: %s, %i', async (_name, status, id, text) => {
    const { method, headers, body: sent } = signedRequest({ secret: SECRET, id, body: text });
    const response = await fetch(`${receiver.url}/webhooks/riverside/${id}/cancel`, {
      method,
      headers,
      body: sent,
    });

    expect(response.status).toBe(status);
    await expectDescribed(CANCEL, 'post', response);
  });

  const answered = (data: object) =>
    JSON.stringify({ type: 'consent.answered', timestamp: '2026-11-25T09:00:00.000+00:00', data });
  test.each([
    ['no question', 409, 'evt_1', answered({ answer: 'yes', text_id: 'v1' })],
    ['unknown', 404, 'evt_none', answered({ answer: 'yes', text_id: 'v1' })],
    ['no answer', 422, 'evt_1', answered({ text_id: 'v1' })],
    ['no JSON', 400, 'evt_1', '{'],
  ])('an answer to a consent is as described: %s, %i', async (_name, status, id, text) => {
    const { method, headers, body: sent } = signedRequest({ secret: SECRET, id, body: text });
    const response = await fetch(`${receiver.url}/webhooks/riverside/${id}/consent`, {
      method,
      headers,
      body: sent,
    });

    expect(response.status).toBe(status);
    await expectDescribed(CONSENT, 'post', response);
  });

  const requested = (data: object) =>
    JSON.stringify({
      type: 'library.status_requested',
      timestamp: '2026-11-25T09:00:00.000+00:00',
      data,
    });
  test.each([
    ['given', 200, requested({ since: '2026-11-25T00:00:00+01:00' })],
    ['no since', 422, requested({})],
    ['no JSON', 400, '{'],
  ])('the status of a library is answered as described: %s, %i', async (_name, status, text) => {
    const { method, headers, body: sent } = signedRequest({ secret: SECRET, id: 'status_1', body: text });
    const url = `${receiver.url}/webhooks/riverside/service/status`;
    const response = await fetch(url, { method, headers, body: sent });

    expect(response.status).toBe(status);
    await expectDescribed(SERVICE, 'post', response);
  });

  const looked = (data: object) =>
    JSON.stringify({ type: 'patron.elsewhere_requested', timestamp: '2026-11-25T09:00:00.000+00:00', data });
  test.each([
    ['given', 200, looked({ patron_id: 812 })],
    ['no patron', 422, looked({})],
    ['no JSON', 400, '{'],
  ])('where a patron has copies is answered as described: %s, %i', async (_name, status, text) => {
    const { method, headers, body: sent } = signedRequest({ secret: SECRET, id: 'look_1', body: text });
    const url = `${receiver.url}/webhooks/riverside/service/elsewhere`;
    const response = await fetch(url, { method, headers, body: sent });

    expect(response.status).toBe(status);
    await expectDescribed('/webhooks/{library}/service/elsewhere', 'post', response);
  });

  test('a state without headers is answered as described', async () => {
    await expectDescribed(STATUS, 'get', await fetch(`${receiver.url}/webhooks/riverside/evt_1`));
  });

  test('every status that the webhook is described to answer is met by one of these tests', () => {
    const described = Object.keys(description.paths[WEBHOOK]?.['post']?.responses ?? {}).map(Number);
    const met = new Set(POSTS.map(([, status]) => status));

    // 408 is met by a slow sender, in raw-http.test.ts.
    expect(described.filter((status) => !met.has(status))).toEqual([408]);
  });

  test.each([
    ['a scan', 202, buildScanEvent({ cardnumber: '21234000000021' })],
    ['a scan without an item', 202, buildScanEvent({ cardnumber: '21234000000022', item_barcode: null })],
    ['a field that came later', 202, buildScanEvent({ cardnumber: '21234000000023', later: 1 })],
    ['a card of 33 characters', 422, buildScanEvent({ cardnumber: '2'.repeat(33) })],
    ['an empty branch', 422, buildScanEvent({ branch: '' })],
    ['an interface that is none', 422, buildScanEvent({ interface: 'fax' })],
    ['an operator that is text', 422, buildScanEvent({ operator: '51' })],
    ['a time without an offset', 422, buildScanEvent({}, { timestamp: '2026-11-25T09:00:00' })],
    ['no interface', 422, buildScanEvent({ interface: undefined })],
  ])('the events that it allows are those that are taken: %s, %i', async (name, status, event) => {
    // As it is sent: JSON has no undefined.
    const text = JSON.stringify(event);
    const response = await post({ id: `evt_${name.replaceAll(' ', '_')}`, body: text });

    const isAllowed = ajv.getSchema('openapi#/components/schemas/Event')?.(JSON.parse(text));
    expect({ status: response.status, isAllowed }).toEqual({ status, isAllowed: status === 202 });
  });

  test('the description describes itself', async () => {
    const response = await fetch(`${receiver.url}/openapi.json`);

    await expectDescribed('/openapi.json', 'get', response);
  });
});

test('the description passes a linter for OpenAPI', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: JSON.stringify(description), config });
  const found = problems.map(({ ruleId, message, location: [at] }) => `${ruleId} ${at?.pointer}: ${message}`);
  expect(found).toEqual([]);
});

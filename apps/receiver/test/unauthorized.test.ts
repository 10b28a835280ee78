import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseWebhookSecret, signDelivery } from '@passport/contract';
import { openRefusedDeliveries } from '@passport/queue/service';
import { signedRequest, waitFor } from '@passport/testkit';
import { buildAuthentication } from '../src/deliveries/authentication.ts';
import { OTHER_SECRET, SECRET, useReceiver, read, reportingLibrary } from './receiver-fixture.ts';

/** What 401 says to whom: docs/decisions/0038-refused-deliveries.md. riverside and midland have SECRET, lakeside has OTHER_SECRET. */
const FORGED = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const receiver = useReceiver();
afterEach(() => {
  receiver.counted.length = 0;
});

interface Sent {
  readonly secret: string;
  readonly as: string;
  readonly secondsAhead?: number;
}

/** Sends it, and returns the answer and the line that was logged about it. */
async function send({ secret, as, secondsAhead = 0 }: Sent) {
  const before = receiver.logged().length;
  const request = signedRequest({ secret, id: 'evt_1', timestamp: nowSeconds() + secondsAhead });
  const { status, body } = await read(fetch(`${receiver.url}/webhooks/${as}`, request));
  const added = (): string[] => receiver.logged().slice(before).trim().split('\n');
  await waitFor('the line about it', () => added().some((line) => line.includes('"unauthorized"')));
  const line = added().find((each) => each.includes('"unauthorized"')) ?? '{}';
  return { status, body, line: JSON.parse(line) as Readonly<Record<string, unknown>> };
}

describe('a 401 says to the sender', () => {
  test('that a secret is wrong, with the very words for a library that there is not', async () => {
    const known = await send({ secret: FORGED, as: 'riverside' });
    const unknown = await send({ secret: FORGED, as: 'nowhere' });

    expect(known).toMatchObject({
      status: 401,
      body: { code: 'unauthorized', reason: 'signature', detail: 'the secret or the library id is wrong' },
      line: { library: 'riverside', reason: 'signature' },
    });
    expect(unknown.body).toEqual(known.body);
    expect(unknown.line).toMatchObject({ library: 'unknown', reason: 'unknown_library' });
  });

  test('that the id is wrong, if the secret is of a member; whose it is, only our log says', async () => {
    const unknown = await send({ secret: OTHER_SECRET, as: 'nowhere' });
    const another = await send({ secret: OTHER_SECRET, as: 'riverside' });

    expect(unknown).toMatchObject({
      status: 401,
      body: { code: 'unauthorized', reason: 'library', detail: 'the secret is of a library with another id' },
      line: { library: 'lakeside', reason: 'library', sent_as: 'unknown' },
    });
    expect(another.body).toEqual(unknown.body);
    expect(another.line).toMatchObject({ library: 'lakeside', reason: 'library', sent_as: 'riverside' });
    expect(receiver.counted).toEqual(['lakeside unauthorized', 'lakeside unauthorized']);
  });

  test.each([
    [-301, 'behind'],
    [400, 'ahead of'],
  ])('that its clock is %d s off', async (secondsAhead, words) => {
    const { status, body, line } = await send({ secret: SECRET, as: 'riverside', secondsAhead });

    expect({ status, body }).toMatchObject({ status: 401, body: { code: 'unauthorized', reason: 'clock' } });
    expect((body as { detail: string }).detail).toMatch(
      new RegExp(`^webhook-timestamp is \\d+ s ${words} the receiver's clock, and may be 300 s off$`),
    );
    expect(line).toMatchObject({ library: 'riverside', reason: 'clock', signed: true });
    expect(Math.abs(Number(line['seconds_ahead']) - secondsAhead)).toBeLessThan(10);
  });

  test.each([
    ['with the secret', SECRET, 'riverside', true],
    ['with a forged secret', FORGED, 'riverside', false],
    ['for a library that there is not', FORGED, 'nowhere', false],
    ['with the secret of another library', OTHER_SECRET, 'nowhere', false],
  ])('of an old delivery only its age: signed %s', async (_name, secret, as, isSigned) => {
    const { body, line } = await send({ secret, as, secondsAhead: -4_000 });

    const { reason, detail } = body as Readonly<Record<string, string>>;
    expect({ reason, detail: detail?.replace(/\d{4}/, 'N') }).toEqual({
      reason: 'clock',
      detail: "webhook-timestamp is N s behind the receiver's clock, and may be 300 s off",
    });
    expect(line).toMatchObject({ signed: isSigned });
  });

  test('the same by the route of states', async () => {
    const state = async (library: string, secret: string, id = 'evt_1', timestamp = nowSeconds()) => {
      const secrets = [parseWebhookSecret(secret)];
      const headers = signDelivery({ secrets, id, timestamp, body: Buffer.alloc(0) });
      const { body } = await read(fetch(`${receiver.url}/webhooks/${library}/evt_1`, { headers }));
      return (body as { reason?: string }).reason;
    };

    expect(await state('nowhere', FORGED)).toBe('signature');
    expect(await state('riverside', FORGED)).toBe('signature');
    expect(await state('nowhere', OTHER_SECRET)).toBe('library');
    expect(await state('riverside', SECRET, 'evt_2')).toBe('signature');
    expect(await state('riverside', SECRET, 'evt_1', nowSeconds() - 400)).toBe('clock');
  });
});

test('a stranger can have so many secrets tried in a second, and no more', () => {
  let nowMs = 0;
  let tried = 0;
  const secrets = Array.from({ length: 100 }, (_, n) => Buffer.alloc(32, `secret ${n}`));
  const libraries = new Map(
    secrets.map((secret, n) => {
      const library = { ...reportingLibrary(`library${n}`), secrets: [secret] };
      const counted = Object.defineProperty(library, 'secrets', {
        get: () => {
          tried += 1;
          return [secret];
        },
      });
      return [library.id, counted] as const;
    }),
  );
  const authenticate = buildAuthentication({ libraries, nowSeconds, monotonicNow: () => nowMs });
  const owned = signDelivery({
    secrets: secrets.slice(-1),
    id: 'evt_1',
    timestamp: nowSeconds(),
    body: Buffer.alloc(0),
  });
  const reason = (): unknown => {
    const sender = authenticate({
      library: 'nowhere',
      header: (name) => [owned[name]],
      body: Buffer.alloc(0),
    });
    return sender.kind === 'unauthorized' ? sender.why.reason : sender.kind;
  };

  const heard = Array.from({ length: 50 }, reason);
  expect(heard.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'library'));
  expect(new Set(heard.slice(5))).toEqual(new Set(['signature']));
  expect(tried).toBe(500);
  nowMs = 1_000;
  expect(reason()).toBe('library');
});

describe('operators are told which library is refused', () => {
  const refused = async () => (await openRefusedDeliveries(receiver.redis).read(Date.now())).get('riverside');
  const becomes = async (what: string, isSo: (row: Awaited<ReturnType<typeof refused>>) => boolean) =>
    waitFor(what, async () => isSo(await refused()));
  const genuine = async (body: { readonly body?: string } = {}) =>
    read(
      fetch(
        `${receiver.url}/webhooks/riverside`,
        signedRequest({ secret: SECRET, id: `evt_${randomUUID()}`, timestamp: nowSeconds(), ...body }),
      ),
    );

  test('by the newest reason, until something of the library is taken', async () => {
    await send({ secret: FORGED, as: 'riverside' });
    await becomes('the refusal', (row) => row?.reason === 'signature');
    await send({ secret: SECRET, as: 'riverside', secondsAhead: 600 });
    await becomes('its clock', (row) => row?.reason === 'clock');
    expect(await refused()).toMatchObject({ seconds_ahead: expect.closeTo(600, -1), count: 2 });
    expect((await genuine()).status).toBe(202);
    await becomes('none', (row) => row === undefined);
  });

  test('a stranger with an old time is no wrong clock, and a test with our own secret ends nothing', async () => {
    await send({ secret: FORGED, as: 'riverside', secondsAhead: -4000 });
    await becomes('the refusal', (row) => row?.reason === 'signature');
    const tested = { type: 'passport.test', timestamp: new Date().toISOString(), data: {} };
    expect((await genuine({ body: JSON.stringify(tested) })).status).toBe(202);
    await send({ secret: FORGED, as: 'riverside' });
    await becomes('both refusals', (row) => row?.count === 2);
  });
});

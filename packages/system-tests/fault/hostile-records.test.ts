import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { signedRequest } from '@passport/testkit';
import { Redis } from 'ioredis';
import { registerPatron } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, type LibraryPlan, startConsortium } from '../harness/start-consortium.ts';
import { HOSTILE_RECORDS, MADE_UP } from './hostile-koha/hostile-records.ts';
import { type HostileKohas, startHostileKohas } from './hostile-koha/start-hostile-kohas.ts';
import { isHeldUp } from './held-up.ts';

const STRANGERS = 40;
const OWN_COPIES = 3;
const SEEN = 60;
/** So long does a hostile library have for its sweep and its reading; each night longer (`NIGHTLY`). */
const AT_WORK_MS = process.env['NIGHTLY'] ? 8_000 : 4_000;
const REDIS_MOST_BYTES = 8 * 1024 * 1024;
const ROUNDS = 4;
const VALUES = ['surname', 'firstname', 'email', 'phone', 'address', 'city', 'cardnumber', 'date_of_birth'];

const names = Object.keys(HOSTILE_RECORDS);
const idOf = (name: string): string => `hostile-${names.indexOf(name)}`;
const hour = (new Date().getHours() + 12) % 24;
const farAway = `${String(hour).padStart(2, '0')}:00`;

let kohas: HostileKohas;
let behind: KohaDouble;
let consortium: Consortium<string>;
let redis: Redis;

beforeAll(async () => {
  behind = await startKohaDouble({ library: 'behind', credentials: 'random' });
  kohas = await startHostileKohas(behind.credentials);
  const copies = {
    refresh: { sweep: farAway, at_scan: true, card: 'apply', restricted: 'apply', card_lost: 'apply' },
    owed: { read: farAway },
    limits: { refreshes_per_hour: 1_000_000, copies_per_hour: 1_000_000 },
  };
  const hostile = names.map((name): [string, LibraryPlan] => [
    idOf(name),
    { cards: ['^9{13}$'], entry: copies, servedBy: { double: behind, url: kohas.url(behind.port, name) } },
  ]);
  const lenders = ['riverside', ...hostile.map(([id]) => id)];
  consortium = await startConsortium<string>({
    libraries: {
      midland: { cards: ['^21234\\d{9}$'] },
      riverside: { cards: ['^25678\\d{9}$'], entry: copies },
      ...Object.fromEntries(hostile),
    },
    workers: 2,
    keys: {
      agreements: lenders.map((lending) => ({
        home: 'midland',
        lending,
        recourse: { block_home_over: 10 },
      })),
    },
  });
  redis = new Redis(consortium.redis.url);
  for (let n = 0; n < STRANGERS; n += 1) registerPatron(midland());
  await innocentScans(10);
}, 120_000);
afterAll(async () => {
  redis?.disconnect();
  await consortium?.stop();
  await behind?.close();
  await kohas?.close();
});

const midland = (): KohaDouble => consortium.doubles['midland'] ?? behind;

async function copyAt(library: string): Promise<string> {
  const cardnumber = registerPatron(midland());
  const { eventId } = await consortium.at(library).scan({ cardnumber, item_barcode: null });
  expect(await consortium.at(library).follow(eventId)).toMatchObject({ outcome: 'COPIED' });
  return cardnumber;
}

/** Scans of an honest library, one after the other: the mean of what they took, so that one which waits counts. */
async function innocentScans(count = 5): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const sentAt = performance.now();
    await copyAt('riverside');
    took.push(performance.now() - sentAt);
  }
  return took.reduce((sum, ms) => sum + ms, 0) / took.length;
}

async function reportSeen(library: string, patronId: number): Promise<void> {
  const timestamp = new Date().toISOString();
  const body = JSON.stringify({ type: 'patron.seen', timestamp, data: { patron_id: patronId } });
  const request = signedRequest({
    secret: consortium.secrets[library] ?? '',
    id: `seen_${patronId}_${timestamp.replaceAll(/\D/g, '')}`,
    body,
  });
  const response = await fetch(`${consortium.services.receivers[0]?.url}/webhooks/${library}`, request);
  expect([200, 202, 429]).toContain(response.status);
}

interface Receipt {
  readonly lending: string;
  readonly homeKey: string;
  readonly fields: readonly string[];
}
async function receiptsOf(library: string): Promise<readonly Receipt[]> {
  const rows = await redis.xrange('{passport}:receipts', '-', '+');
  return rows
    .map(([, [, text = '{}']]) => JSON.parse(text) as Receipt)
    .filter(({ lending }) => lending === library);
}

/** Each value of a patron of the home library that was sent to a hostile one, as `{home key} {field}`. */
async function valuesSentTo(name: string): Promise<readonly string[]> {
  const patrons = midland().state().patrons;
  const written = (await kohas.written()).filter(
    (each) => each.name === name && each.path.startsWith('/patrons'),
  );
  const found = written.flatMap(({ body }) =>
    patrons.flatMap((patron) =>
      VALUES.filter((field) => {
        const value = patron[field];
        // What all patrons of the test have in common says nothing of one.
        if (typeof value !== 'string' || ['city', 'phone', 'date_of_birth'].includes(field)) return false;
        return body.includes(JSON.stringify(value));
      }).map((field) => `midland:${patron.patron_id} ${field}`),
    ),
  );
  return [...new Set(found)];
}

const usedBytes = async (): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);

/** Everything that a hostile library can set off, for a while. */
async function attack(name: string): Promise<void> {
  const library = idOf(name);
  const { env } = consortium.services;
  for (let n = 1; n <= SEEN; n += 1) await reportSeen(library, MADE_UP + n);
  const own = behind.state().patrons.filter(({ category_id: category }) => category === 'PT');
  for (const { patron_id: patronId } of own) await reportSeen(library, patronId);
  const commands = [
    ['copies', 'refresh', '--at', library, '--full'],
    ['owed', '--of', 'midland', '--read'],
  ];
  await Promise.all(commands.map((args) => runPassport(args, { env, mostMs: AT_WORK_MS })));
}

describe.each(names)('a lending library that shows %s', (name) => {
  test('gets no value without a receipt of it, delays nobody, and fills nothing', async () => {
    const library = idOf(name);
    const own: string[] = [];
    for (let n = 0; n < OWN_COPIES; n += 1) own.push(await copyAt(library));
    // What follows home is new there, so that it would be passed on.
    for (const patron of midland().state().patrons) {
      if (patron.cardnumber === null || patron.category_id !== 'AD') continue;
      midland().putPatron(patron.cardnumber, { email: `moved.${patron.patron_id}.${library}@post.example` });
    }
    const before = await usedBytes();
    let scans = { usualMs: 0, besideMs: Infinity };
    for (let round = 1; round <= ROUNDS && isHeldUp(scans); round += 1) {
      const usualMs = await innocentScans();
      const attacked = attack(name);
      scans = { usualMs, besideMs: await innocentScans() };
      await attacked;
    }

    const receipts = await receiptsOf(library);
    const named = new Set(
      receipts.flatMap(({ homeKey, fields }) => fields.map((field) => `${homeKey} ${field}`)),
    );
    const keys = new Set(receipts.map(({ homeKey }) => homeKey));
    expect(keys.size).toBeLessThanOrEqual(OWN_COPIES);
    const sent = await valuesSentTo(name);
    // The card is what its own desk has scanned.
    const unnamed = sent.filter(
      (each) => !named.has(each) && !(each.endsWith(' cardnumber') && keys.has(each.split(' ')[0] ?? '')),
    );
    expect(unnamed).toEqual([]);
    expect(
      midland()
        .state()
        .patrons.filter(({ restricted }) => restricted),
    ).toEqual([]);
    expect({ ...scans, isHeldUp: isHeldUp(scans) }).toMatchObject({ isHeldUp: false });
    expect(consortium.services.workers.map((worker) => worker.alive())).toEqual([true, true]);
    expect((await usedBytes()) - before).toBeLessThan(REDIS_MOST_BYTES);
    expect((await kohas.answered())[name]).toBeGreaterThan(0);
  }, 180_000);
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

/*
 * One mixed day at one library, and every view of it. A scan counts once, by its last end: a double scan, a redelivery, a retry and
 * `passport explain` add nothing, and what is discarded before its end counts nowhere.
 */

/** What has happened by the end of the day, as every view is to say it. */
const DAY = { waiting: 1, failed: 2, done: 7 };
const OUTCOMES = {
  COPIED: 3,
  ALREADY_LOCAL: 1,
  NOT_FOUND: 1,
  NOT_ELIGIBLE: 1,
  CANCELLED: 1,
  MISCONFIGURED: 2,
};
const ENDED = Object.values(OUTCOMES).reduce((sum, count) => sum + count, 0);

const RITA = { name: 'rita', password: randomBytes(12).toString('hex') };
let dir: string;
let consortium: Consortium<keyof typeof threeLibraries>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'one-count-'));
  const password = { file: join(dir, 'rita') };
  await writeFile(password.file, RITA.password);
  consortium = await startConsortium({
    libraries: threeLibraries,
    dashboards: 1,
    keys: { users: [{ name: RITA.name, role: 'viewer', libraries: ['riverside'], password }] },
  });
  await mixedDay();
});
afterAll(async () => {
  await consortium.stop();
  await rm(dir, { recursive: true, force: true });
});

const passport = async (...args: readonly string[]) => {
  const { code, out, err } = await runPassport(args, { env: consortium.services.env });
  if (code !== 0) throw new Error(`passport ${args.join(' ')}: ${code} ${out} ${err}`);
  return out;
};
const json = async (...args: readonly string[]): Promise<Readonly<Record<string, never>>> =>
  JSON.parse(await passport(...args, '--json')) as Readonly<Record<string, never>>;

async function request(
  path: string,
  user: 'operator' | 'rita' = 'operator',
  method = 'GET',
): Promise<string> {
  const { DASHBOARD_PASSWORD: own = '' } = consortium.services.env;
  const login = Buffer.from(`${user}:${user === 'rita' ? RITA.password : own}`).toString('base64');
  const { url } = consortium.services.dashboards[0] ?? { url: '' };
  const headers = { authorization: `Basic ${login}`, origin: url };
  const response = await fetch(`${url}${path}`, { method, headers, redirect: 'manual' });
  if (response.status >= 400) throw new Error(`${path}: ${response.status}`);
  return (await response.text()).replaceAll(/\s+/g, ' ');
}

async function mixedDay(): Promise<void> {
  const { midland, riverside } = consortium.doubles;
  const desk = consortium.at('riverside');
  const scan = async (cardnumber: string, id?: string) =>
    desk.scan({ cardnumber, item_barcode: shelveBook(riverside) }, id === undefined ? {} : { id });
  const end = async (cardnumber: string): Promise<readonly [string, string]> => {
    const { eventId } = await scan(cardnumber);
    return [(await desk.follow(eventId)).outcome ?? '', eventId];
  };
  const refusing = async <T>(work: () => Promise<T>): Promise<T> => {
    riverside.addFaults([
      { operation: 'POST /patrons', kind: 'status', status: 400, body: { error: 'no' }, times: 9 },
    ]);
    const result = await work();
    riverside.clearFaults();
    return result;
  };
  const fail = async (): Promise<string> => {
    const [outcome, eventId] = await refusing(() => end(registerPatron(midland)));
    expect(outcome).toBe('MISCONFIGURED');
    return eventId;
  };
  const card = registerPatron(midland);
  const item = shelveBook(riverside);
  const first = await desk.scan({ cardnumber: card, item_barcode: item }, { id: 'evt_first' });
  await desk.scan({ cardnumber: card, item_barcode: item });
  await desk.scan({ cardnumber: card, item_barcode: item }, { id: 'evt_first' });
  expect((await desk.follow(first.eventId)).outcome).toBe('COPIED');
  expect((await end(card))[0]).toBe('ALREADY_LOCAL');
  expect((await end(registerPatron(midland)))[0]).toBe('COPIED');
  expect((await end('21234111222333'))[0]).toBe('NOT_FOUND');
  const expired = registerPatron(midland, { columns: { expiry_date: '2020-01-01' } });
  expect((await end(expired))[0]).toBe('NOT_ELIGIBLE');

  await fail();
  const again = await fail();
  await refusing(async () => {
    await passport('events', 'retry', `riverside.${again}`);
    await waitFor('it to fail again', async () => (await desk.state(again))?.state === 'failed');
  });
  const mended = await fail();
  await passport('events', 'retry', `riverside.${mended}`);
  await desk.follow(mended, { until: ({ state }) => state === 'done' });

  midland.addFaults([{ operation: 'GET /patrons', kind: 'status', status: 503, body: '', times: 999 }]);
  const waits = async (): Promise<string> => {
    const { eventId } = await scan(registerPatron(midland));
    await desk.follow(eventId, { timeoutMs: 10_000, until: ({ state }) => state === 'waiting' });
    return eventId;
  };
  const cancelled = await waits();
  await desk.cancel(cancelled);
  await desk.follow(cancelled);
  await request(`/events/riverside/${await waits()}/discard`, 'operator', 'POST');
  await waits();

  const explain = ['explain', '--at', 'riverside', '--card', '-'];
  for (const typed of [registerPatron(consortium.doubles.lakeside, { prefix: '90000' }), '900001'])
    await runPassport(explain, { env: consortium.services.env, input: `${typed}\n` });
}

/** The scan that waits is tried now and then, and is not waiting at that moment. */
const eventually = (check: () => Promise<void>): Promise<unknown> =>
  waitFor('the views to agree', async () => {
    await check();
    return true;
  });

const tilesOf = (body: string) => {
  const tile = (label: string): number =>
    Number(new RegExp(`class="value">(\\d+)</span> <span class="label">${label}<`).exec(body)?.[1]);
  return { waiting: tile('waiting'), failed: tile('failed'), done: tile('done') };
};
const listed = async (user: 'operator' | 'rita') => {
  const count = async (state: string): Promise<number> =>
    Number(/(\d+) events? on this page/.exec(await request(`/events?state=${state}`, user))?.[1]);
  return { waiting: await count('waiting'), failed: await count('failed'), done: await count('done') };
};
const chartOf = (body: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...(/Outcomes of the last 24 hours: ([^<]+)</.exec(body)?.[1] ?? '').matchAll(/(\d+) ([a-z ]+)/g)].map(
      ([, count, group = '']) => [group, Number(count)] as const,
    ),
  );
const totalsOf = (body: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...body.matchAll(/<dt>([A-Z_]+)<\/dt> <dd>(\d+)<\/dd>/g)].map(
      ([, code = '', count]) => [code, Number(count)] as const,
    ),
  );

test('the tiles of the overview and of the library, and the lists of events, say the same to operator and viewer', async () => {
  for (const [user, path] of [
    ['operator', '/'],
    ['operator', '/libraries/riverside'],
    ['rita', '/'],
    ['rita', '/libraries/riverside'],
  ] as const)
    await eventually(async () =>
      expect([user, path, tilesOf(await request(path, user))]).toEqual([user, path, DAY]),
    );
  for (const user of ['operator', 'rita'] as const)
    await eventually(async () => expect([user, await listed(user)]).toEqual([user, DAY]));
});

test('so do passport status and the metrics', async () => {
  await eventually(async () =>
    expect(await json('status')).toMatchObject({ queue: { ...DAY, backlogs: { riverside: DAY.waiting } } }),
  );
  await eventually(async () => {
    const text = await consortium.services.workers[0]?.metrics();
    for (const [state, count] of Object.entries(DAY))
      expect(text).toMatch(new RegExp(`passport_queue_jobs\\{state="${state}"\\} ${count}\\n`));
  });
});

test('the chart, its totals and the statistics have each scan once, by its last end', async () => {
  const groups = { served: 4, 'unknown card': 1, 'desk decides': 1, declined: 1, failed: 2 };
  for (const [user, path] of [
    ['operator', '/'],
    ['operator', '/libraries/riverside'],
    ['rita', '/'],
  ] as const) {
    const body = await request(path, user);
    expect([path, chartOf(body)]).toEqual([path, groups]);
    expect([path, totalsOf(body)]).toEqual([path, OUTCOMES]);
  }
  const sums = { scans: ENDED, copies: 3, already_local: 1, refusals: 2, declined: 1, failures: 2 };
  expect(await json('stats')).toMatchObject({ rows: [sums] });
  const csv = (await request('/statistics.csv')).split(' ');
  const column = (name: string): number => {
    const place = (csv[0] ?? '').split(',').indexOf(name);
    return csv.slice(1).reduce((sum, row) => sum + Number(row.split(',')[place] ?? 0), 0);
  };
  expect(Object.fromEntries(Object.keys(sums).map((name) => [name, column(name)]))).toEqual(sums);
  for (const user of ['operator', 'rita'] as const) {
    const tile = async (label: string): Promise<number> =>
      Number(
        new RegExp(`class="value">(\\d+)</span> <span class="label">${label}<`).exec(
          await request('/statistics', user),
        )?.[1],
      );
    expect([await tile('scans'), await tile('refusals'), await tile('failures')]).toEqual([ENDED, 2, 2]);
  }
  expect(ENDED).toBe(DAY.done + DAY.failed);
});

test('a failed scan that is discarded leaves what is to be fixed, and stays a failure of its day', async () => {
  const failed = JSON.parse(await passport('events', 'list', '--state', 'failed', '--json')) as {
    readonly events: readonly { readonly event_id: string }[];
  };
  await request(`/events/riverside/${failed.events[0]?.event_id ?? ''}/discard`, 'operator', 'POST');
  const left = { ...DAY, failed: DAY.failed - 1 };
  await waitFor('it to be gone', async () => tilesOf(await request('/')).failed === left.failed);
  await eventually(async () => expect(tilesOf(await request('/', 'rita'))).toEqual(left));
  expect(chartOf(await request('/'))).toMatchObject({ failed: DAY.failed });
  expect(await json('stats')).toMatchObject({ rows: [{ scans: ENDED, failures: DAY.failed }] });
});

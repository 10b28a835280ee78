import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EventState } from '@passport/contract';
import { type KohaDouble, demoSamples } from '@passport/koha-double';
import { waitFor } from '@passport/testkit';
import { type RealService, startRealService } from './real-service.ts';
import type { Ran } from './run-cli.ts';

// The command, receiver and worker as they were built (`npm run build`), on real Redis and doubles of Koha.
const BIN = fileURLToPath(new URL('../bin/passport.js', import.meta.url));
const midlandCards = demoSamples('midland');
const riversideItems = demoSamples('riverside').items;

let service: RealService;
let midland: KohaDouble;
let riverside: KohaDouble;
let env: NodeJS.ProcessEnv;
let here: RealService['here'];
let send: RealService['send'];

beforeAll(async () => {
  service = await startRealService();
  ({ midland, riverside, env, here, send } = service);
}, 60_000);
afterAll(() => service?.stop(), 60_000);

/** Runs the built command in a process of its own. */
function passport(args: readonly string[], input = '', more: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env['PATH'], ...env, ...more },
  });
  const ran = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.err += text));
  child.stdin.end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, ...ran })));
}

test('explain says of ten seeded cards what the worker then does', async () => {
  const { eligible, expired, restricted, card_lost: lost, address_unconfirmed: unsure } = midlandCards;
  const cards = [
    ...eligible.slice(0, 4),
    ...[expired, restricted, lost, unsure].flatMap((list) => list.slice(0, 1)),
    '21234999999999',
    '1',
  ];
  expect(cards).toHaveLength(10);
  const actual: unknown[] = [];
  const done: unknown[] = [];
  for (const card of cards) {
    const ran = await here(['explain', '--at', 'riverside', '--card', '-', '--json'], `${card}\n`);
    const { outcome, reasons } = JSON.parse(ran.out) as EventState;
    actual.push({ outcome, reasons });
    const { state } = await send(card);
    done.push({ outcome: state.outcome, reasons: state.reasons });
  }
  expect(actual).toEqual(done);
  expect(new Set(actual.map((each) => (each as EventState).outcome))).toEqual(
    new Set(['COPIED', 'NOT_ELIGIBLE', 'NOT_FOUND', 'NOT_A_CARD']),
  );
}, 60_000);

test('send --wait follows an event on a terminal to its checkout', async () => {
  const args = ['send', '--at', 'riverside', '--card', '-', '--item', '-', '--wait'];
  const ran = await passport(args, `${midlandCards.eligible[5]}\n${riversideItems[0]}\n`);
  expect(ran.code).toBe(0);
  expect(ran.out).toMatch(/^accepted: evt_/);
  expect(ran.out).toMatch(
    /\ndone +COPIED · CHECKED_OUT +Found at midland library\. You can check out now\.\n$/,
  );
});

test('a failed event is found, understood, fixed and tried again to success', async () => {
  const categories = riverside.settings().categories as { patron_category_id: string; name: string }[];
  riverside.putSettings({
    categories: categories.filter(({ patron_category_id: code }) => code !== 'PT'),
  });
  const sent = await send(midlandCards.eligible[6] ?? '');
  expect(sent).toMatchObject({
    code: 1,
    state: { state: 'failed', outcome: 'MISCONFIGURED', problem: { what: 'category', name: 'PT' } },
  });

  const listed = await passport(['events', 'list', '--state', 'failed', '--at', 'riverside']);
  expect(listed.out).toContain(`riverside.${sent.event_id}  failed`);
  const shown = await here(['events', 'show', sent.event_id]);
  expect(shown.out).toMatch(/^failed +MISCONFIGURED · riverside: category PT/);
  const doctor = await here(['doctor', 'riverside']);
  expect(doctor).toMatchObject({ code: 1, out: expect.stringContaining('category_unknown') });

  riverside.putSettings({ categories });
  const retried = await passport(['events', 'retry', `riverside.${sent.event_id}`]);
  expect(retried.code).toBe(0);
  expect(retried.out).toContain('retried');
  expect(JSON.parse(retried.err)).toMatchObject({
    audit: true,
    action: 'retry',
    event: sent.event_id,
    lending: 'riverside',
    result: 'retried',
  });
  await waitFor('the retried event to succeed', async () => {
    const { out } = await here(['events', 'show', sent.event_id, '--at', 'riverside', '--json']);
    return (JSON.parse(out) as EventState).outcome === 'COPIED';
  });
  const again = await passport(['events', 'retry', `riverside.${sent.event_id}`]);
  expect(again).toMatchObject({
    code: 0,
    out: `riverside.${sent.event_id}: already ended with COPIED, nothing to do\n`,
  });
}, 60_000);

test('copies export lists every copy by its home key and its fields, and no value', async () => {
  const card = midlandCards.eligible[7] ?? '';
  const { event_id: eventId } = await send(card);
  const csv = (await passport(['copies', 'export', '--of', 'midland'])).out.trimEnd().split('\n');
  expect(csv[0]).toBe('at,home,lending,home_key,event,fields,what,read,consent,patron_id,override');
  const row = csv.find((line) => line.includes(eventId));
  expect(row).toMatch(/^\d{4}-\d\d-\d\dT[^,]+,midland,riverside,midland:\d+,[^,]+,surname .*date_of_birth/);
  const patron = midland.state(card).patrons[0];
  for (const value of [card, patron?.['surname'], patron?.['address']])
    expect(csv.join('\n')).not.toContain(value);
  const { receipts } = JSON.parse((await here(['copies', 'export', '--at', 'riverside', '--json'])).out) as {
    receipts: object[];
  };
  expect(receipts).toHaveLength(csv.length - 1);
  expect(JSON.parse((await here(['copies', 'export', '--at', 'midland', '--json'])).out)).toEqual({
    receipts: [],
  });
});

test('stats counts each scan once, by its outcome', async () => {
  const sums = async () => {
    const ran = await here([
      'stats',
      '--by',
      'home,lending',
      '--of',
      'midland',
      '--at',
      'riverside',
      '--json',
    ]);
    const { rows } = JSON.parse(ran.out) as { rows: Record<string, number>[] };
    return rows[0] ?? {};
  };
  const before = await sums();
  const card = midlandCards.eligible[9] ?? '';
  await send(card);
  await send(card);
  await send(midlandCards.expired[0] ?? '');

  const after = await sums();
  expect(after['scans']).toBe((before['scans'] ?? 0) + 3);
  expect(after['copies']).toBe((before['copies'] ?? 0) + 1);
  expect(after['already_local']).toBe((before['already_local'] ?? 0) + 1);
  expect(after['refusals']).toBe((before['refusals'] ?? 0) + 1);
});

test('status and doctor find the service in order, and the retried events of a plan end', async () => {
  const status = await here(['status', '--json']);
  const { processes } = JSON.parse(status.out) as { processes: { kind: string; live: boolean }[] };
  expect(processes).toMatchObject([
    { kind: 'worker', live: true },
    { kind: 'receiver', live: true },
  ]);

  const categories = riverside.settings().categories as { patron_category_id: string; name: string }[];
  riverside.putSettings({ categories: [] });
  const cards = midlandCards.eligible.slice(10, 13);
  const sent = await Promise.all(cards.map(send));
  expect(sent.map(({ state }) => state.outcome)).toEqual(cards.map(() => 'MISCONFIGURED'));
  const plan = [
    'events',
    'retry',
    '--at',
    'riverside',
    '--outcome',
    'MISCONFIGURED',
    '--since',
    '10m',
    '--json',
  ];
  const stillWrong = await here([...plan, '--apply']);
  expect(stillWrong.code).toBe(1);
  riverside.putSettings({ categories });

  const planned = JSON.parse((await here(plan)).out) as { events: { event_id: string }[]; applied: unknown };
  expect(planned.applied).toBeNull();
  expect(new Set(planned.events.map(({ event_id: id }) => id))).toEqual(
    new Set(sent.map(({ event_id: id }) => id)),
  );
  const applied = await here([...plan, '--apply', '--pace', '20']);
  expect({ code: applied.code, out: JSON.parse(applied.out) as unknown }).toMatchObject({
    code: 0,
    out: { applied: { retried: 3, ended: 3, failed_again: [], left: 0, stopped: 'done' } },
  });
  const audit = applied.err.trim().split('\n');
  expect(audit).toHaveLength(3);
  for (const line of audit)
    expect(JSON.parse(line)).toMatchObject({ audit: true, action: 'retry', result: 'retried' });
  for (const card of cards) expect(riverside.state(card).patrons).toHaveLength(1);
}, 60_000);

test('events watch prints each change once', async () => {
  const watching = here(['events', 'watch', '--for', '4s', '--at', 'riverside', '--json']);
  const { event_id: eventId } = await send(midlandCards.eligible[13] ?? '');
  const { code, out } = await watching;
  expect(code).toBe(0);
  const states = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EventState)
    .filter(({ event_id: id }) => id === eventId);
  expect(states.at(-1)).toMatchObject({ state: 'done', outcome: 'COPIED' });
  expect(new Set(states.map(({ seq }) => seq)).size).toBe(states.length);
}, 30_000);

test('an event that the queue does not have', async () => {
  const ran = await passport(['events', 'show', 'evt_nowhere', '--at', 'riverside']);
  expect(ran).toEqual({
    code: 1,
    out: '',
    err: 'passport: the queue has no event evt_nowhere of riverside\n',
  });
});

test('without Redis a command says so and ends', async () => {
  const ran = await passport(['events', 'list'], '', { REDIS_URL: 'redis://:planted-7f3e@127.0.0.1:1' });
  expect(ran).toEqual({ code: 1, out: '', err: 'passport: Redis does not answer at REDIS_URL\n' });
}, 30_000);

test('a configuration that is wrong ends with 1 before anything is queried', async () => {
  const ran = await passport(['events', 'list'], '', { REDIS_URL: 'localhost' });
  expect(ran.code).toBe(1);
  expect(ran.err).toMatch(/REDIS_URL: is none of redis:/);
});

test('a reader who has seen enough is no error', async () => {
  const line = `"${process.execPath}" "${BIN}" config check --print | head -n 1`;
  const child = spawn('bash', ['-c', `set -o pipefail; ${line}`], {
    env: { PATH: process.env['PATH'], ...env },
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining('EPIPE') });
});

test('Ctrl-C while an event is followed says how to go on', async () => {
  midland.addFaults([{ operation: 'GET /patrons', times: 200, kind: 'status', status: 503 }]);
  const args = ['send', '--at', 'riverside', '--card', '-', '--wait'];
  const child = spawn(process.execPath, [BIN, ...args], { env: { PATH: process.env['PATH'], ...env } });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stdin.end(`${midlandCards.eligible[8]}\n`);
  await waitFor('the event to wait for midland', () => printed.includes('waiting'));
  child.kill('SIGINT');
  const code = await new Promise((resolve) => child.once('close', resolve));
  midland.clearFaults();
  expect(code).toBe(1);
  expect(printed).toMatch(/not ended yet; follow it with: passport events show evt_\S+ --at riverside\n$/);
}, 30_000);

test('notify test says of each of a dozen endpoints that nobody is there, and Node warns of nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'passport-endpoints-'));
  const file = join(folder, 'passport.yaml');
  const notify = Array.from({ length: 12 }, (_, n) => ({
    name: `ops-${n}`,
    url: { env: 'OPS_URL' },
    format: 'slack',
  }));
  const consortium = JSON.parse(readFileSync(env['PASSPORT_CONFIG'] ?? '', 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...consortium, notify }));
  const { code, out, err } = await passport(['notify', 'test'], '', {
    PASSPORT_CONFIG: file,
    OPS_URL: 'http://127.0.0.1:9/',
  });
  rmSync(folder, { recursive: true });
  expect([code, err]).toEqual([1, '']);
  expect(out.match(/^ops-\d+: not accepted, no answer/gm)).toHaveLength(12);
});

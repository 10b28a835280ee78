import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import {
  type StartedProcess,
  type StartedRedis,
  buildConsortiumFile,
  consortiumSecrets,
  seededRandom,
  startFaultProxy,
  startProcess,
  startRedis,
  waitFor,
} from '@passport/testkit';
import { runPassport } from '../harness/run-passport.ts';

// The built command in processes of its own, which are interrupted and killed.
const BIN = fileURLToPath(new URL('../../../apps/cli/bin/passport.js', import.meta.url));
const DELETION = 'POST /contrib/passport/deletions';
/** Each night more (`NIGHTLY`). */
const RUNS = process.env['NIGHTLY'] ? 30 : 12;
/** So many deletions of a run at most, and then it is interrupted. */
const MOST_A_RUN = 7;
/** Some are left for the last run, which nobody interrupts. */
const COPIES = RUNS * MOST_A_RUN + 10;
const SEED = 20_261_125;

let redis: StartedRedis;
let riverside: KohaDouble;
let dir: string;
let env: Record<string, string>;

beforeAll(async () => {
  redis = await startRedis();
  riverside = await startKohaDouble({ library: 'riverside', seed: 'empty' });
  dir = await mkdtemp(join(tmpdir(), 'passport-deletes-'));
  const { clientId, clientSecret } = riverside.credentials;
  const libraries = [
    { id: 'riverside', kohaUrl: riverside.url, clientId, clientSecret, webhookSecret: null },
  ] as const;
  const config = join(dir, 'passport.yaml');
  await writeFile(config, buildConsortiumFile(libraries));
  env = { PASSPORT_CONFIG: config, REDIS_URL: redis.url, ...consortiumSecrets(libraries) };
});
afterAll(async () => {
  await riverside?.close();
  await redis?.stop();
  await rm(dir, { recursive: true, force: true });
});

const cardOf = (number: number): string => `C-${number}`;

function putCopy(number: number): void {
  const home_key = `midland:${number}`;
  riverside.putPatron(cardOf(number), {
    surname: 'Okafor',
    category_id: 'PT',
    expiry_date: '2020-01-31',
    extended_attributes: [
      { type: 'PASSPORTED', value: 'midland' },
      { type: 'PASSPORTED_ID', value: home_key },
    ],
  });
  const patron_id = Number(riverside.state(cardOf(number)).patrons[0]?.patron_id);
  riverside.putCopy({ patron_id, version: 0, home_key, fields: {} });
}

const deletions = () => riverside.calls().filter(({ operation }) => operation === DELETION);

/** The home keys of the copies that are gone, and those of the receipts. */
async function compare() {
  const numbers = Array.from({ length: COPIES }, (_, index) => index + 1);
  const gone = numbers.filter((number) => riverside.state(cardOf(number)).patrons.length === 0);
  const stream = (await redis.call('XRANGE', '{passport}:receipts', '-', '+')) as [
    string,
    [string, string],
  ][];
  const receipts = stream.map(
    ([, [, text]]) => JSON.parse(text) as { readonly homeKey: string; readonly what?: string },
  );
  const keys = receipts.filter(({ what }) => what === 'deleted').map(({ homeKey }) => homeKey);
  return { gone: gone.map((number) => `midland:${number}`).toSorted(), receipts: keys.toSorted() };
}

const DELETE = ['copies', 'delete', '--at', 'riverside', '--expired', '--apply'];

test(`of ${RUNS} deletes that are interrupted at random moments, each deletion has one receipt`, async () => {
  const random = seededRandom(SEED);
  const ends: string[] = [];
  for (let number = 1; number <= COPIES; number += 1) putCopy(number);
  for (let run = 0; run < RUNS; run += 1) {
    const signal = (['SIGINT', 'SIGTERM', 'SIGKILL'] as const)[run % 3] ?? 'SIGKILL';
    const before = deletions().length;
    const [most, isAnswered] = [1 + random.int(MOST_A_RUN), random.int(2) === 1];
    for (let n = 0; n < MOST_A_RUN; n += 1)
      riverside.addFaults([{ operation: DELETION, kind: 'delay', ms: random.int(8) }]);
    const started: StartedProcess = await startProcess({
      command: process.execPath,
      args: [BIN, ...DELETE],
      env,
    });
    await waitFor(
      `deletion ${most} of run ${run}`,
      () => {
        const call = deletions()[before + most - 1];
        return call !== undefined && (!isAnswered || call.status !== null);
      },
      { everyMs: 1, timeoutMs: 60_000 },
    );
    started.kill(signal);
    const { code } = await started.exited;
    ends.push(`${signal} ${code}`);
    riverside.clearFaults();
    if (signal !== 'SIGKILL') {
      expect(started.output()).toContain('interrupted: stopped after these ');
      const { gone, receipts } = await compare();
      expect(receipts).toEqual(gone);
    }
  }
  // What a killed run has sent ends by itself.
  await waitFor('the last deletion', () => deletions().every(({ ms }) => ms !== null));
  expect([...new Set(ends)].toSorted()).toEqual(['SIGINT 1', 'SIGKILL null', 'SIGTERM 1']);
  expect(await runPassport(DELETE, { env })).toMatchObject({ code: 0 });

  const { gone, receipts } = await compare();
  expect(gone).toHaveLength(COPIES);
  expect(receipts).toEqual(gone);
  expect(await redis.call('EXISTS', '{passport}:deletions:riverside')).toBe(0);
}, 400_000);

test('Ctrl-C while Redis is still waited for ends at once: nothing is in hand', async () => {
  const silent = await startFaultProxy({ target: redis.port });
  await silent.setMode('blackhole');
  const REDIS_URL = redis.url.replace(`:${redis.port}`, `:${silent.port}`);
  const started = await startProcess({
    command: process.execPath,
    args: [BIN, ...DELETE],
    env: { ...env, REDIS_URL },
  });
  await waitFor('it to connect', () => silent.accepted() > 0, { timeoutMs: 60_000 });
  started.kill('SIGINT');
  expect(await started.exited).toMatchObject({ code: 130 });
  expect(started.output()).not.toContain('stopping after');
  await silent.close();
}, 90_000);

test('a second Ctrl-C ends at once', async () => {
  putCopy(COPIES + 1);
  riverside.addFaults([{ operation: DELETION, kind: 'hang', times: 1 }]);
  const before = deletions().length;
  const started = await startProcess({ command: process.execPath, args: [BIN, ...DELETE], env });
  await waitFor('the deletion', () => deletions().length > before, { timeoutMs: 60_000 });
  started.kill('SIGINT');
  await waitFor('the announcement', () => started.output().includes('a second time ends at once'));
  started.kill('SIGINT');
  expect(await started.exited).toEqual({ code: 130, signal: null });
}, 60_000);

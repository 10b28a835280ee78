import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeRedis, createLogger, createRedis, untilRedisReady, type Redis } from '@passport/runtime';
import { startRedis } from '@passport/testkit';
import { DAY_MS, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const HOMES = ['midland', 'lakeside', 'hilltop', 'seaside', 'valley'];
/** Copies of each home; 5,000 in all each night (`NIGHTLY`). */
const EACH = process.env['NIGHTLY'] ? 1_000 : 300;
const HALF = EACH / 2;
const NOW = Date.parse('2026-11-26T02:00:00Z');
const log = createLogger({ name: 'test', level: 'silent' });

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
let bench: SweepBench;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(redis, 2_000);
  bench = await openSweep(HOMES, redis);
  for (let index = 0; index < EACH; index += 1) for (const home of HOMES) bench.put(home, index);
}, 120_000);
afterAll(async () => {
  await bench.stop();
  await closeRedis(redis);
  await server.stop();
});

test(`T-24 T-25 T-26 T-27 ${EACH} copies of each of five homes, with all that can go wrong at once`, async () => {
  const { homes, lender } = bench;
  await bench.sweep({ atMs: NOW });
  for (const koha of Object.values(homes)) koha.clearCalls();

  // A poison record in the middle, here and at home, a home that is down, one that hides everybody, edits here, changes at home.
  const refused = { error: 'Something went wrong', error_code: 'internal_server_error' };
  homes['midland']?.addFaults([
    { operation: 'GET /patrons', times: 8, kind: 'status', status: 500, body: refused },
  ]);
  lender.putPatron(cardOf('seaside', HALF + 100), { broken: true });
  homes['lakeside']?.addFaults([{ operation: '*', times: 500, kind: 'reset_before' }]);
  for (let index = 0; index < EACH; index += 1) homes['hilltop']?.deletePatron(cardOf('hilltop', index));
  for (const home of ['midland', 'seaside', 'valley']) {
    for (let index = HALF; index < HALF + 40; index += 1) {
      homes[home]?.putPatron(cardOf(home, index), { email: `new${index}@${home}.example` });
    }
    for (let index = HALF + 30; index < HALF + 40; index += 1) {
      lender.putPatron(cardOf(home, index), { email: `edited${index}@riverside.example` });
    }
  }
  await expect(bench.sweep({ atMs: NOW + 2 * DAY_MS, dies: (HALF / 100) * 4 })).rejects.toThrow('killed');
  const report = await bench.sweep({ atMs: NOW + 2 * DAY_MS });

  const full = { KEPT_LOCAL: 10, REFRESHED: 30, UNCHANGED: EACH - 40 };
  expect(report.homes).toMatchObject({
    midland: { state: 'done', copies: EACH, findings: { ...full, UNREADABLE: 1, UNCHANGED: EACH - 41 } },
    lakeside: { state: 'down' },
    hilltop: { state: 'blind', findings: { HOME_HIDES_PATRONS: 100 } },
    seaside: {
      state: 'done',
      copies: EACH,
      findings: { ...full, UNREADABLE: 1, UNCHANGED: EACH - 41 },
      fields_changed: 30,
      fields_kept: 10,
    },
    valley: { state: 'done', copies: EACH, findings: full, fields_changed: 30, fields_kept: 10 },
  });
  expect(report.homes['lakeside']?.findings).toEqual({});
  const gone = Object.values(report.homes).flatMap(({ findings }) => findings['HOME_GONE'] ?? []);
  expect(gone).toEqual([]);
  for (const home of ['midland', 'seaside', 'valley']) {
    for (let index = HALF + 30; index < HALF + 40; index += 1) {
      const [copy] = lender.state(cardOf(home, index)).patrons;
      expect(copy?.['email']).toBe(`edited${index}@riverside.example`);
    }
  }
  const { seaside, valley } = homes;
  expect([seaside, valley].map((koha) => bench.calls(koha as never).length)).toEqual([
    EACH / 100,
    EACH / 100,
  ]);
}, 120_000);

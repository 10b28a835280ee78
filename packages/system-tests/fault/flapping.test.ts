import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { KohaDouble } from '@passport/koha-double';
import { seededRandom } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { percentile } from './percentile.ts';
import { createReportLog } from './report-log.ts';

const BAD_GATEWAY = { kind: 'html', status: 502 } as const;
const SILENCE = { kind: 'hang' } as const;
/** In trouble and well alternately, for so many milliseconds; or in trouble for a share of its answers, at random. */
type Rhythm =
  | { readonly fault: typeof BAD_GATEWAY | typeof SILENCE; readonly badMs: number; readonly wellMs: number }
  | { readonly fault: typeof BAD_GATEWAY; readonly share: number };
const RHYTHMS = {
  alder: { fault: BAD_GATEWAY, badMs: 1_000, wellMs: 1_000 },
  birch: { fault: BAD_GATEWAY, badMs: 2_000, wellMs: 2_000 },
  cedar: { fault: BAD_GATEWAY, badMs: 5_000, wellMs: 5_000 },
  dogwood: { fault: BAD_GATEWAY, share: 1 / 3 },
  elder: { fault: BAD_GATEWAY, badMs: 3_000, wellMs: 1_500 },
  fir: { fault: SILENCE, badMs: 2_000, wellMs: 2_000 },
  gorse: { fault: BAD_GATEWAY, share: 1 / 2 },
} as const satisfies Record<string, Rhythm>;
type LendingId = keyof typeof RHYTHMS;
const LENDING = Object.keys(RHYTHMS) as LendingId[];
const MEDIAN_MS = 4_000;
/**
 * Two have a limit of their own. Half of `gorse`'s checkouts are lost, and a lost one is looked up and sent again after Koha's whole
 * time-out, 3 s: with less, an item could be checked out twice. So half of its scans cannot end before 3 s, plus what
 * the copy took. A call that `fir` leaves without an answer fails after 3 s, when the next silence may have begun: 2 to 10.4 s were measured.
 */
const OWN_MEDIAN_MS: Partial<Readonly<Record<LendingId, number>>> = { gorse: 10_000, fir: 15_000 };

/** Longer than any limit of a median: how much longer a desk waits would only be printed. */
const LONGEST_MS = 25_000;

const SCANS_EACH = 30;
const EVERY_MS = 400;
/** More answers than are ever needed. */
const ANSWERS = 20_000;

const reports = createReportLog();
let consortium: Consortium<LendingId | 'midland'>;
const over = new AbortController();
beforeAll(async () => {
  consortium = await startConsortium<LendingId | 'midland'>({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'], koha: { latencyMs: 20 } },
      ...Object.fromEntries(
        LENDING.map((id) => [id, { cards: [`^${id}$`], koha: { latencyMs: 20, onExchange: reports.hear } }]),
      ),
    } as Record<LendingId | 'midland', object>,
  });
}, 60_000);
afterAll(() => {
  over.abort();
  return consortium?.stop();
});

async function flap(koha: KohaDouble, rhythm: Rhythm): Promise<void> {
  if ('share' in rhythm) {
    const random = seededRandom(7);
    const well = { kind: 'delay', ms: 0 } as const;
    const answers = Array.from({ length: ANSWERS }, () =>
      random.next() < rhythm.share ? rhythm.fault : well,
    );
    koha.addFaults(answers.map((answer) => ({ operation: '*', ...answer })));
    return;
  }
  const wait = (ms: number): Promise<void> => pause(ms, undefined, over).catch(() => undefined);
  while (!over.signal.aborted) {
    koha.addFaults([{ operation: '*', times: 1_000_000, ...rhythm.fault }]);
    await wait(rhythm.badMs);
    koha.clearFaults();
    await wait(rhythm.wellMs);
  }
}

const describeRhythm = (rhythm: Rhythm): string =>
  'share' in rhythm
    ? `answers 502 ${Math.round(rhythm.share * 100)} times of a hundred`
    : `${rhythm.fault === SILENCE ? 'is silent' : 'answers 502'} for ${rhythm.badMs} ms, then is well for ${rhythm.wellMs} ms`;

/** Milliseconds from each scan until the report of its outcome. */
async function scans(lending: LendingId): Promise<number[]> {
  const koha = consortium.doubles[lending];
  const took: Promise<number>[] = [];
  for (let n = 0; n < SCANS_EACH; n += 1) {
    const sentAt = performance.now();
    const data = { cardnumber: registerPatron(consortium.doubles.midland), item_barcode: shelveBook(koha) };
    const { eventId } = await consortium.at(lending).scan(data);
    const end = reports.first(eventId, ({ state }) => state === 'done' || state === 'failed', LONGEST_MS);
    took.push(end.then(({ at }) => at - sentAt).catch(() => LONGEST_MS));
    await pause(EVERY_MS);
  }
  return Promise.all(took);
}

test('a desk of a lending Koha that comes and goes gets its reports within seconds', async () => {
  for (const id of LENDING) void flap(consortium.doubles[id], RHYTHMS[id]);
  const took = await Promise.all(
    LENDING.map(async (id) => {
      const each = await scans(id);
      const [median, ninth] = [0.5, 0.9].map((share) => Math.round(percentile(each, share)));
      const late = each.filter((ms) => ms === LONGEST_MS).length;
      process.stderr.write(
        `a lending Koha ${describeRhythm(RHYTHMS[id])}: median ${median} ms, 90th percentile ${ninth} ms, ` +
          `${late} after more than ${LONGEST_MS} ms, ${consortium.doubles[id].calls().length} calls for ${SCANS_EACH} scans\n`,
      );
      return { id, each };
    }),
  );
  // Whatever the rhythm: one alone may be unlucky, all of them together are not.
  const others = took.filter(({ id }) => OWN_MEDIAN_MS[id] === undefined).flatMap(({ each }) => each);
  expect(percentile(others, 0.5)).toBeLessThan(MEDIAN_MS);
  for (const { id, each } of took) expect(percentile(each, 0.5)).toBeLessThan(OWN_MEDIAN_MS[id] ?? Infinity);
}, 150_000);

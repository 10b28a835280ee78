import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor, type RunningService } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { readExposition } from '../harness/read-exposition.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { brokenPromises, untilAllReported } from './kept-promises.ts';
import { percentile } from './percentile.ts';
import { type Refusal, type Sender, type Sent, createSender } from './sender.ts';
import { createReportLog } from './report-log.ts';

type Id = 'midland' | 'riverside' | 'lakeside' | 'hillside';

/** Each night more (`NIGHTLY`); the long form is `PASSPORT_BURST_EVENTS=10000`. */
const BURST = Number(process.env['PASSPORT_BURST_EVENTS'] ?? (process.env['NIGHTLY'] ? '800' : '200'));
/** Senders of the burst at the same time. */
const CONNECTIONS = 64;
const QUIET_EVENTS = 10;
const BACKLOG = 40;

let consortium: Consortium<Id>;
const reportLog = createReportLog();
beforeAll(async () => {
  const koha = { onExchange: reportLog.hear };
  consortium = await startConsortium<Id>({
    libraries: {
      midland: { reports: false },
      riverside: { koha },
      lakeside: { koha },
      hillside: { koha, entry: { limits: { backlog: BACKLOG } } },
    },
    keys: {
      agreements: ['riverside', 'lakeside', 'hillside'].map((lending) => ({ home: 'midland', lending })),
      defaults: {
        limits: { events_per_second: 100_000, burst: 100_000, backlog: 100_000, copies_per_hour: 100_000 },
      },
    },
  });
}, 60_000);
afterAll(() => consortium?.stop(), 60_000);

function senderOf(library: Id, onRefusal: (refusal: Refusal) => void = () => undefined): Sender {
  const receiverUrls = consortium.services.receivers.map(({ url }) => url);
  return createSender({ receiverUrls, library, secret: consortium.secrets[library], onRefusal });
}

const newScan = () => ({ cardnumber: registerPatron(consortium.doubles.midland), item_barcode: null });
const isOver = ({ state }: { state: string }): boolean => state === 'done' || state === 'failed';

/** Scans at the desk of lakeside, one after the other: how long each of them takes, in milliseconds. */
async function quietDesk(send: Sender): Promise<number[]> {
  const waits: number[] = [];
  for (let n = 0; n < QUIET_EVENTS; n += 1) {
    const { eventId, sentAt } = await send(newScan());
    waits.push((await reportLog.first(eventId, isOver)).at - sentAt);
  }
  return waits;
}

/** Sends all events of a burst, as fast as they are taken. */
async function sendBurst(send: Sender): Promise<readonly Sent[]> {
  const cards = Array.from({ length: BURST }, newScan);
  const sent: Sent[] = [];
  const connection = async (): Promise<void> => {
    for (let data = cards.pop(); data !== undefined; data = cards.pop()) sent.push(await send(data));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return sent;
}

async function residentMb(service: RunningService | undefined): Promise<number> {
  const series = readExposition((await service?.metrics()) ?? '');
  const bytes = series.find(({ name }) => name === 'process_resident_memory_bytes')?.value;
  if (bytes === undefined) throw new Error('the process does not report its memory');
  return bytes / 2 ** 20;
}

const memory = async () => ({
  receiver: await residentMb(consortium.services.receivers[0]),
  worker: await residentMb(consortium.services.workers[0]),
  redis:
    Number(/used_memory:(\d+)/.exec(String(await consortium.redis.call('INFO', 'memory')))?.[1]) / 2 ** 20,
});

const unfinished = async (library: Id): Promise<number> =>
  Number(await consortium.redis.call('ZCARD', `{passport}:backlog:${library}`));

test(`a burst of ${BURST} events of one library neither keeps another library's desk waiting nor fills memory`, async () => {
  const { riverside } = consortium.doubles;
  const lakeside = senderOf('lakeside');
  await quietDesk(lakeside);
  const alone = await quietDesk(lakeside);
  const before = await memory();

  const burstAt = performance.now();
  const burst = await sendBurst(senderOf('riverside'));
  const sentAfterMs = performance.now() - burstAt;
  const during = await quietDesk(lakeside);
  const behind = await unfinished('riverside');
  const full = await memory();
  const startedAt = performance.now();
  await waitFor('the burst to be worked off', async () => (await unfinished('riverside')) === 0, {
    timeoutMs: 300_000,
    everyMs: 200,
  });

  const text = (waits: readonly number[]) =>
    `${percentile(waits, 0.5).toFixed(0)} ms (most ${Math.max(...waits).toFixed(0)})`;
  process.stderr.write(
    `burst of ${BURST}, sent in ${(sentAfterMs / 1_000).toFixed(1)} s: another desk waits ${text(during)}, without it ${text(alone)}; ${behind} events were still ` +
      `unfinished then and took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s; memory before and after: ` +
      `${JSON.stringify(before)} ${JSON.stringify(full)} MB\n`,
  );
  expect(behind).toBeGreaterThan(BURST / 10);
  expect(percentile(during, 0.5)).toBeLessThan(percentile(alone, 0.5) + 5_000);
  expect(Math.max(...during)).toBeLessThan(10_000);
  expect(full.receiver - before.receiver).toBeLessThan(150);
  expect(full.worker - before.worker).toBeLessThan(150);
  // 4 kB an event, and half a megabyte that does not grow with them.
  expect((full.redis - before.redis) * 2 ** 20).toBeLessThan(4_000 * BURST + 500_000);
  // An event is off the backlog a moment before or after its desk hears of it.
  await untilAllReported(riverside, burst);
  expect(brokenPromises(riverside, burst, { isCheckedOut: false })).toEqual([]);
}, 400_000);

test('beyond its backlog a library is answered 429 with retry-after, other libraries are not, and what was refused is taken later', async () => {
  const { hillside } = consortium.doubles;
  // Away for everybody: maintenance mode stops no call with a token.
  hillside.addFaults([{ operation: '*', times: 1_000_000, kind: 'html', status: 503 }]);
  const refused: Refusal[] = [];
  const send = senderOf('hillside', (refusal) => refused.push(refusal));
  const desk = consortium.at('hillside');
  const events = Array.from({ length: BACKLOG }, () => send(newScan()));
  const taken = await Promise.all(events);
  expect(taken.filter(({ refusals }) => refusals.length > 0)).toEqual([]);

  const late = [send(newScan()), send(newScan())];
  expect(await desk.scan(newScan())).toMatchObject({ status: 429, body: { code: 'backlog_full' } });
  expect((await senderOf('lakeside')(newScan())).refusals).toEqual([]);

  await waitFor('both to be refused', () => refused.length >= late.length, { timeoutMs: 20_000 });
  hillside.clearFaults();
  const all = [...taken, ...(await Promise.all(late))];
  for (const { eventId } of all) await reportLog.first(eventId, isOver);
  expect(refused.filter(({ status, retryAfterS }) => status !== 429 || (retryAfterS ?? 0) < 1)).toEqual([]);
  expect(brokenPromises(hillside, all, { isCheckedOut: false })).toEqual([]);
}, 60_000);

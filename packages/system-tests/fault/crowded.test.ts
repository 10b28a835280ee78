import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { type CrowdedKoha, startCrowdedKoha } from '../harness/start-crowded-koha.ts';
import { createReportLog } from './report-log.ts';

type Id = 'midland' | 'riverside';

/** A school class at the desk. */
const SCANS = 30;
/** Of each Koha; the plugin says so, too. */
const WEB_WORKERS = 2;
const TAKES_MS = 150;
/** Create, checkout and report at the lending library. */
const CALLS_OF_A_SCAN = 3;
const IDEAL_MS = (SCANS * CALLS_OF_A_SCAN * TAKES_MS) / WEB_WORKERS;

const reports = createReportLog();
const kohas = new Map<Id, CrowdedKoha>();
let consortium: Consortium<Id>;
beforeAll(async () => {
  const plan = (id: Id, prefix: string) => ({
    cards: [`^${prefix}\\d{9}$`],
    koha: { onExchange: reports.hear, settings: { plack_workers: WEB_WORKERS } },
    async reachedAt(port: number) {
      const koha = await startCrowdedKoha(port, { atOnce: WEB_WORKERS, takesMs: TAKES_MS });
      kohas.set(id, koha);
      return koha.url;
    },
  });
  consortium = await startConsortium<Id>({
    libraries: {
      midland: { ...plan('midland', '21234'), reports: false },
      riverside: plan('riverside', '31234'),
    },
  });
}, 60_000);
afterAll(async () => {
  await consortium?.stop();
  for (const koha of kohas.values()) await koha.close();
});

async function scan(): Promise<string> {
  const cardnumber = registerPatron(consortium.doubles.midland);
  const item_barcode = shelveBook(consortium.doubles.riverside);
  return (await consortium.at('riverside').scan({ cardnumber, item_barcode })).eventId;
}

const theEnd = (eventId: string) =>
  reports.first(eventId, ({ state }) => state === 'done' || state === 'failed', 60_000);

/** The requests that each Koha got so far, of the calls that a scan makes. */
const requests = (): Record<string, number> =>
  Object.fromEntries(
    [...kohas].flatMap(([id, { begun }]) =>
      [...begun].map(([call, count]) => [`${id} ${call.replace('/api/v1', '')}`, count]),
    ),
  );

test(`${SCANS} scans at once at Kohas with ${WEB_WORKERS} web workers: no call is repeated, and staff pages stay usable`, async () => {
  await theEnd(await scan());
  const before = requests();
  const riverside = kohas.get('riverside');
  const startedAt = performance.now();
  const events = await Promise.all(Array.from({ length: SCANS }, scan));
  const pages = openStaffPages(riverside);
  const ends = await Promise.all(events.map(theEnd)).finally(() => pages.close());

  const tookMs = Math.max(...ends.map(({ at }) => at)) - startedAt;
  const pageMs = mean(await pages.took);
  const made = Object.entries(requests()).map(
    ([call, count]) => [call, count - (before[call] ?? 0)] as const,
  );
  process.stderr.write(
    `${SCANS} scans at two Kohas with ${WEB_WORKERS} web workers took ${(tookMs / IDEAL_MS).toFixed(2)} times what the calls need, ` +
      `a staff page ${(pageMs / TAKES_MS).toFixed(2)} times its own time\n`,
  );
  expect(ends.map(({ outcome }) => outcome)).toEqual(Array.from({ length: SCANS }, () => 'COPIED'));
  expect(consortium.doubles.riverside.state().checkouts).toHaveLength(SCANS + 1);
  expect(Object.fromEntries(made.filter(([, count]) => count > 1))).toEqual({
    'midland GET /patrons': SCANS,
    'riverside POST /patrons': SCANS,
    'riverside POST /checkouts': SCANS,
    'riverside PUT /contrib/passport/scans/:n/outcome': SCANS,
  });
  // The staff's own pages alternate with the calls: one page after the other is a third of the load.
  expect(pageMs).toBeLessThan(3 * TAKES_MS);
}, 90_000);

/** Opens one page of the staff after the other. */
function openStaffPages(koha: CrowdedKoha | undefined) {
  const closed = new AbortController();
  const open = async (): Promise<number[]> => {
    const pages: number[] = [];
    while (!closed.signal.aborted) pages.push((await koha?.staffPageMs()) ?? 0);
    return pages;
  };
  return { took: open(), close: () => closed.abort() };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

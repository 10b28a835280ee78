import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startKohaDouble, type KohaDouble } from '@passport/koha-double';
import { dumpRedis } from '../../harness/dump-redis.ts';
import { registerPatron, shelveBook } from '../../harness/people.ts';
import { type Consortium, type LibraryPlan, startConsortium } from '../../harness/start-consortium.ts';
import { STRANGER_CODE, STRANGER_TEXT } from './hostile-answer.ts';
import { HOSTILE_HOME } from './hostile-home.ts';
import { HOSTILE_LENDER } from './hostile-lender.ts';
import { HOSTILE_SET_UP } from './hostile-set-up.ts';
import { type HostileKohas, startHostileKohas } from './start-hostile-kohas.ts';
import { isHeldUp } from '../held-up.ts';
import { createReportLog } from '../report-log.ts';

const PASSPORT = fileURLToPath(new URL('../../../../apps/cli/bin/passport.js', import.meta.url));
/** `mem_limit` of the worker in docker-compose.yml. */
const WORKER_LIMIT_KB = 384 * 1024;
const INNOCENT_SCANS = 4;
/** How many answer at the same time, where what they cost the worker allows it; `PASSPORT_HOSTILE_AT_ONCE=1`: each alone. */
const MOST_AT_ONCE = Number(process.env['PASSPORT_HOSTILE_AT_ONCE'] ?? Infinity);
const AT_ONCE = { home: 9, lender: 4, 'set-up': 7 } as const;
/** How often it is measured at most: whoever else uses this machine may spoil a round. */
const ROUNDS = 5;

const KINDS = { home: HOSTILE_HOME, lender: HOSTILE_LENDER, 'set-up': HOSTILE_SET_UP } as const;
type Kind = keyof typeof KINDS;
interface Stranger {
  readonly kind: Kind;
  readonly name: string;
}
const strangers: readonly Stranger[] = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
  Object.keys(KINDS[kind]).map((name) => ({ kind, name })),
);
function batchesOf(ofKind: readonly Stranger[], atOnce: number) {
  const starts = ofKind.flatMap((_, n) => (n % atOnce === 0 ? [n] : []));
  return starts.map((start) => {
    const batch = ofKind.slice(start, start + atOnce);
    return { names: batch.map(({ name }) => name).join(', '), batch };
  });
}
const idOf = (name: string): string => `stranger-${strangers.findIndex((each) => each.name === name)}`;
const prefixOf = (name: string): string => `77${idOf(name).slice(9).padStart(3, '0')}`;

let kohas: HostileKohas;
/** The honest Koha behind each hostile one. */
let behind: KohaDouble;
let consortium: Consortium<string>;
const reportLog = createReportLog();

async function startWith(ofKind: readonly Stranger[]): Promise<void> {
  behind = await startKohaDouble({ library: 'behind', credentials: 'random' });
  kohas = await startHostileKohas(behind.credentials);
  const hostile = ofKind.map(({ name }): [string, LibraryPlan] => [
    idOf(name),
    {
      cards: [`^${prefixOf(name)}\\d{9}$`],
      entry: { retry: { give_up_after: '4s' } },
      servedBy: { double: behind, url: kohas.url(behind.port, name) },
    },
  ]);
  const innocent: LibraryPlan = { koha: { onExchange: reportLog.hear } };
  consortium = await startConsortium<string>({
    libraries: {
      midland: { ...innocent, cards: ['^21234\\d{9}$'] },
      riverside: {
        ...innocent,
        cards: ['^25678\\d{9}$'],
        entry: {
          copy: { category: { by_home_category: { AD: 'PT' } } },
          eligibility: { max_debt: 25 },
          retry: { give_up_after: '4s' },
          limits: { copies_per_hour: 100_000 },
        },
      },
      ...Object.fromEntries(hostile),
    },
    dashboards: 1,
    env: { LOG_LEVEL: 'trace' },
  });
  await innocentScans(20);
}
async function stop(): Promise<void> {
  await consortium?.stop();
  await behind?.close();
  await kohas?.close();
}

const double = (id: string): KohaDouble => consortium.doubles[id] ?? behind;
const worker = () => consortium.services.workers[0];

/** Scans of midland's patrons at riverside, one after the other: the mean of what they took, so that one which waits for a stranger counts. */
async function innocentScans(count = INNOCENT_SCANS): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const data = {
      cardnumber: registerPatron(double('midland')),
      item_barcode: shelveBook(double('riverside')),
    };
    const sentAt = performance.now();
    const { eventId } = await consortium.at('riverside').scan(data);
    const end = await reportLog.first(eventId, ({ state }) => state === 'done' || state === 'failed');
    expect(end.outcome).toBe('COPIED');
    took.push(end.at - sentAt);
  }
  return took.reduce((sum, ms) => sum + ms, 0) / took.length;
}

/** Scans that meet the hostile Koha, as many as there are desks in a busy library. */
async function meet({ kind, name }: Stranger): Promise<() => Promise<unknown>> {
  const [home, lending] = kind === 'home' ? [behind, 'riverside'] : [double('midland'), idOf(name)];
  const scans = Array.from({ length: 3 }, async () => {
    const prefix = kind === 'home' ? prefixOf(name) : '21234';
    const at = kind === 'home' ? double('riverside') : behind;
    const data = { cardnumber: registerPatron(home, { prefix }), item_barcode: shelveBook(at) };
    return (await consortium.at(lending).scan(data)).eventId;
  });
  const met = await Promise.all(scans);
  const desk = consortium.at(lending);
  return () => Promise.all(met.map((eventId) => desk.follow(eventId, { timeoutMs: 30_000 })));
}

/** Where a stranger's text is: places, never the text. */
async function leaks(batch: readonly Stranger[]): Promise<string[]> {
  const places = {
    Redis: (await dumpRedis(consortium.redis.url)).text,
    log: await consortium.services.logs(),
    'the panel of riverside': JSON.stringify(double('riverside').state().outcomes),
    'the panel of midland': JSON.stringify(double('midland').state().outcomes),
    metrics: (await worker()?.metrics()) ?? '',
    dashboard: await dashboard(['/', '/events', '/board/api/queues?status=failed&page=1&jobsPerPage=50']),
    'the command line': `${await passport('events', 'list', '--json')}${await passport('doctor', ...batch.map(({ name }) => idOf(name)))}`,
  };
  const planted = [
    STRANGER_TEXT,
    STRANGER_TEXT.slice(10, 40),
    STRANGER_CODE,
    'Qvistgaard',
    'stranger.example',
  ];
  return Object.entries(places)
    .filter(([, text]) => planted.some((part) => text.toLowerCase().includes(part.toLowerCase())))
    .map(([place]) => place);
}

async function dashboard(paths: readonly string[]): Promise<string> {
  const { env, dashboards } = consortium.services;
  const login = Buffer.from(`${env['DASHBOARD_USER']}:${env['DASHBOARD_PASSWORD']}`).toString('base64');
  const pages = paths.map(async (path) => {
    const response = await fetch(`${dashboards[0]?.url}${path}`, {
      headers: { authorization: `Basic ${login}` },
    });
    expect([path, response.status]).toEqual([path, 200]);
    return response.text();
  });
  return (await Promise.all(pages)).join('\n');
}

/** What the command line prints, whatever it thinks of it. */
function passport(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...consortium.services.env };
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, [PASSPORT, ...args], options, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

/** From here on the kernel looks for a new peak of the worker's memory (proc(5), clear_refs). */
const forgetPeak = (): Promise<void> => writeFile(`/proc/${worker()?.pid}/clear_refs`, '5');

/** The most memory that the worker has had since, in kB. */
async function peakKb(): Promise<number> {
  const status = await readFile(`/proc/${worker()?.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]);
}

/** Registers the tests of one kind; each kind has a file, which runs beside the others. */
export function testStrangers(kind: Kind): void {
  const ofKind = strangers.filter((each) => each.kind === kind);
  beforeAll(() => startWith(ofKind), 120_000);
  afterAll(stop);

  describe.each(batchesOf(ofKind, Math.min(MOST_AT_ONCE, AT_ONCE[kind])))(
    `a ${kind} that answers with $names`,
    ({ batch }) => {
      test('holds nobody up, fills no memory, and its words go nowhere', async () => {
        await forgetPeak();
        let scans = { usualMs: 0, besideMs: Infinity };
        for (let round = 1; round <= ROUNDS && isHeldUp(scans); round += 1) {
          const usualMs = await innocentScans();
          const ends = await Promise.all(batch.map(meet));
          scans = { usualMs, besideMs: await innocentScans() };
          await Promise.all(ends.map((end) => end()));
        }

        expect(await leaks(batch)).toEqual([]);
        const answered = await kohas.answered();
        expect(batch.map(({ name }) => name).filter((name) => answered[name] === undefined)).toEqual([]);
        expect({ ...scans, isHeldUp: isHeldUp(scans) }).toMatchObject({ isHeldUp: false });
        expect(worker()?.alive()).toBe(true);
        expect(await peakKb()).toBeLessThan(WORKER_LIMIT_KB);
      }, 120_000);
    },
  );
}

/** The outcome of the names that strangers gave patrons of riverside. */
export const surnamesAtRiverside = (): readonly string[] =>
  double('riverside')
    .state()
    .patrons.map(({ surname }) => String(surname));

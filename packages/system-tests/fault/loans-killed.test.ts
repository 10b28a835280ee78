import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seededRandom, waitFor } from '@passport/testkit';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

const HOMES = ['midland', 'lakeside'] as const;
type Id = (typeof HOMES)[number] | 'riverside';
const SEED = 26;
/** How often the collection is killed; each time a worker that goes on has to wait for the lock of the dead one. */
const KILLS = process.env['NIGHTLY'] ? 8 : 3;
const LOANS = 500;
const DAYS = 90;
const DAY_MS = 86_400_000;
/** A first collection looks back a year, a month at a time. */
const CALLS = 12;
const KINDS = { issue: 'checkouts', renew: 'renewals', return: 'returns' } as const;
const SINCE = new Date(Date.now() - (DAYS + 31) * DAY_MS).toISOString().slice(0, 'YYYY-MM'.length);
const SCHEDULE = ['{passport}:schedules', 'loans.riverside'] as const;

let consortium: Consortium<Id>;
/** Called at each page of loans that is read from riverside, before it is answered. */
let onPage = (): void => undefined;
/** By month, home, branch and kind. */
const planted = new Map<string, number>();

beforeAll(async () => {
  const home = { reports: false } as const;
  consortium = await startConsortium<Id>({
    libraries: {
      midland: home,
      lakeside: home,
      riverside: {
        koha: {
          settings: { plugin: true },
          onCall: ({ path }) => {
            if (path.endsWith('/passport/loans')) onPage();
          },
        },
        entry: { loans: { count: '00:00' } },
      },
    },
    workers: 1,
    redisProxy: true,
  });
  plant();
}, 60_000);
afterAll(() => consortium?.stop());

/** Loans of three months at two branches, of the patrons of two libraries, and as many of riverside's own. */
function plant(): void {
  const { riverside } = consortium.doubles;
  const random = seededRandom(SEED);
  const numbers = HOMES.map((home) => {
    const values = { extended_attributes: [{ type: 'PASSPORTED', value: home }] };
    return riverside.putPatron(`visitor-of-${home}`, values).patron_id;
  });
  const own = riverside.putPatron('own-patron', {}).patron_id;
  const noon = `${new Date().toISOString().slice(0, 10)}T12:00:00Z`;
  const loans = Array.from({ length: LOANS }, () => {
    const home = random.int(HOMES.length);
    const at = new Date(Date.parse(noon) - (1 + random.int(DAYS)) * DAY_MS).toISOString();
    const type = (['issue', 'renew', 'return'] as const)[random.int(3)] ?? 'issue';
    const branch = random.int(3) === 0 ? 'SOUTH' : 'MAIN';
    const name = [at.slice(0, 'YYYY-MM'.length), HOMES[home], branch, KINDS[type]].join(' ');
    planted.set(name, (planted.get(name) ?? 0) + 1);
    return { at: at.replace('Z', '+00:00'), type, branch, patron_id: numbers[home] ?? 0 };
  });
  riverside.addLoans([...loans, ...loans.map((loan) => ({ ...loan, patron_id: own }))]);
}

const isDone = async (): Promise<true | undefined> =>
  (await consortium.redis.call('HGET', '{passport}:schedules:done', 'loans.riverside')) === null
    ? undefined
    : true;

/** Has nothing counted yet, and a night that is due as soon as a worker starts. */
async function beforeTheNight(): Promise<void> {
  await consortium.redis.call('FLUSHALL');
  const due = JSON.stringify({ since_ms: 0, queued_ms: 0, next_ms: 0 });
  await consortium.redis.call('HSET', ...SCHEDULE, due);
}

interface Row {
  readonly month: string;
  readonly home: string;
  readonly lending: string;
  readonly branch: string;
  readonly checkouts: number;
  readonly renewals: number;
  readonly returns: number;
}
const stats = async (...args: string[]): Promise<string> => {
  const { code, out } = await runPassport(['stats', '--loans', '--since', SINCE, ...args], {
    env: consortium.services.env,
  });
  expect(code).toBe(0);
  return out;
};
const counted = async (): Promise<ReadonlyMap<string, number>> => {
  const { rows } = JSON.parse(await stats('--by', 'month,home,lending,branch', '--json')) as { rows: Row[] };
  return new Map(
    rows.flatMap(({ month, home, branch, ...row }) =>
      Object.values(KINDS).flatMap((kind) =>
        row[kind] === 0 ? [] : [[[month, home, branch, kind].join(' '), row[kind]] as const],
      ),
    ),
  );
};
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, each) => all + each, 0);

test(
  `${LOANS} loans of three months make an exact matrix, whenever the worker that counts them is killed`,
  async () => {
    const random = seededRandom(SEED);
    const worker = consortium.services.workers[0];
    if (worker === undefined) throw new Error('no worker');
    const found: string[] = [];
    let halfWay = 0;
    for (let round = 0; round < KILLS; round += 1) {
      await worker.kill();
      await beforeTheNight();
      // The last pages have the loans. As it reads one, or while it counts the days of the one before.
      const [page, ms] = [CALLS - random.int(3), 50 + random.int(500)];
      let pages = 0;
      const killed = new Promise<void>((resolve) => {
        onPage = () => {
          pages += 1;
          if (pages !== page) return;
          const kill = (): void => void worker.kill().then(() => resolve());
          if (round % 3 === 0) return kill();
          // Each of the month's days is a command to Redis, and takes a while.
          void consortium.redisProxy?.setMode({ kind: 'delay', ms: 10 });
          setTimeout(kill, ms);
        };
      });
      await worker.restart();
      await killed;
      onPage = () => undefined;
      await consortium.redisProxy?.setMode('pass');
      const so = sum((await counted()).values());
      if (so > 0 && so < LOANS) halfWay += 1;
      expect(await isDone()).toBeUndefined();
      await worker.restart();
      await waitFor('the collection to end', isDone, { timeoutMs: 90_000 });
      const now = await counted();
      const wrong = [...new Set([...planted.keys(), ...now.keys()])].filter(
        (name) => planted.get(name) !== now.get(name),
      );
      if (wrong.length > 0) found.push(`killed at page ${page}, ${ms} ms: ${wrong.join('; ')}`);
    }
    expect(found).toEqual([]);
    expect(halfWay).toBeGreaterThan(0);

    const [head = '', ...lines] = (await stats('--csv')).trim().split('\n');
    const columns = head.split(',');
    const totalOf = (column: string): number =>
      sum(lines.map((line) => Number(line.split(',')[columns.indexOf(column)])));
    for (const kind of Object.values(KINDS)) {
      const wanted = [...planted].filter(([name]) => name.endsWith(` ${kind}`)).map(([, count]) => count);
      expect(totalOf(kind)).toBe(sum(wanted));
    }
    expect(totalOf('net')).toBe(0);
  },
  KILLS * 120_000,
);

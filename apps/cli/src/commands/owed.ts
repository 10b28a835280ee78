import { timeText } from '@passport/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import { amountText } from '@passport/queue/elsewhere';
import { openSweepQueue, type OwedReading, readOwed, readOwedByHome } from '@passport/queue/sweeps';
import { type OpenQueue, withQueue } from '../connect/with-queue.ts';
import {
  type CliDeps,
  defineCommand,
  Failure,
  findLibrary,
  flag,
  type Report,
  required,
  optional,
} from '../program/index.ts';
import { openAudit } from '../program/open-audit.ts';

/** A reading a day: whoever was not read for longer could not be read. */
const OUTDATED_MS = 36 * 3_600_000;

interface OwedAt {
  readonly lending: string;
  /** In hundredths; null: reported only. */
  readonly blockHomeOver: number | null;
  readonly reading: OwedReading | null;
}

/** The lending libraries that let this home know, with their last readings. */
async function owedAt(
  { consortium, redis }: OpenQueue,
  home: string,
  at: string | undefined,
): Promise<readonly OwedAt[]> {
  const lenders = consortium.libraries.filter(
    ({ id, owed }) =>
      owed !== null && (at === undefined || id === at) && consortium.agreements.homesAt(id).has(home),
  );
  return Promise.all(
    lenders.map(async ({ id }) => {
      const agreement = consortium.agreements.at(id).find((each) => each.home === home);
      const reading = await readOwed(redis, id, home);
      return { lending: id, blockHomeOver: agreement?.blockHomeOver ?? null, reading };
    }),
  );
}

const rowsOf = ({ reading }: OwedAt) =>
  Object.entries(reading?.rows ?? {}).map(([homeKey, row]) => ({
    home_key: homeKey,
    overdues: row.overdues,
    amount: amountText(row.amount),
    restricted: row.restricted,
  }));

const toJson = (owed: OwedAt) => ({
  lending: owed.lending,
  read_at: owed.reading === null ? null : new Date(owed.reading.read_ms).toISOString(),
  block_home_over: owed.blockHomeOver === null ? null : amountText(owed.blockHomeOver),
  unconfirmed: owed.reading?.unconfirmed ?? 0,
  patrons: rowsOf(owed),
});

const HEADER = ['lending', 'home key', 'overdue', 'amount', 'at home'];

function printTable(all: readonly OwedAt[], { line, table }: Report): void {
  const rows = all.flatMap((owed) =>
    rowsOf(owed).map(({ home_key: homeKey, overdues, amount, restricted }) => [
      owed.lending,
      homeKey,
      String(overdues),
      amount,
      restricted ? 'restricted' : '',
    ]),
  );
  if (rows.length === 0) return line('nothing is owed');
  table(HEADER, rows, [2, 3]);
}

/** What the table does not say: when it was read, and what is left out. Returns the libraries that could not be read of late. */
function printReadings(all: readonly OwedAt[], nowMs: number, { line, progress }: Report): readonly string[] {
  for (const { lending, reading, blockHomeOver } of all) {
    const read = reading === null ? 'not read yet' : `read ${timeText(reading.read_ms, nowMs)}`;
    const block = blockHomeOver === null ? '' : `, restricted at home over ${amountText(blockHomeOver)}`;
    line(`${lending}: ${read}${block}`);
    const left = reading?.unconfirmed ?? 0;
    if (left > 0) progress(`${lending}: ${left} copies left out: no receipt says that they were made there`);
  }
  const isOutdated = ({ reading }: OwedAt): boolean =>
    reading === null || nowMs - reading.read_ms > OUTDATED_MS;
  return all.filter(isOutdated).map(({ lending }) => lending);
}

const LOOK_EVERY_MS = 500;
/** A worker reads at once, unless it has a sweep to do. */
const READ_WITHIN_MS = 120_000;

/** Has a worker read what the copies at these lending libraries owe, one after the other, and waits for it. Throws Failure. */
async function readNow(
  open: OpenQueue,
  lenders: readonly string[],
  { progress }: Report,
  { signal }: CliDeps,
): Promise<void> {
  const queue = openSweepQueue(open.redis);
  try {
    for (const lending of lenders) {
      progress(`${lending}: reading`);
      const since = await open.now();
      const job = await queue.add(`owed.${lending}`, { kind: 'owed', library: lending });
      while ((await job.getState()) !== 'completed') {
        if (signal.aborted)
          throw new Failure('it is read without this command', { code: 'interrupted', library: lending });
        if ((await open.now()) - since > READ_WITHIN_MS) {
          const why = (await queue.getJob(job.id ?? ''))?.failedReason ?? 'no worker has done it yet';
          throw new Failure(`${lending}: not read: ${why}`, { code: 'not_read', library: lending });
        }
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
      if (!(await hasReading(open, lending, since))) {
        throw new Failure(`${lending}: its Koha has no plugin that can say what copies owe`, {
          code: 'no_plugin',
          library: lending,
        });
      }
    }
  } finally {
    await queue.close();
  }
}

/** The worker's clock dates the readings, and this one is Redis's: a minute between them says nothing. */
const CLOCKS_APART_MS = 60_000;

async function hasReading({ redis }: OpenQueue, lending: string, sinceMs: number): Promise<boolean> {
  const readings = await readOwedByHome(redis, lending);
  return [...readings.values()].some(({ read_ms: readMs }) => readMs > sinceMs - CLOCKS_APART_MS);
}

export const owed = defineCommand({
  summary: "list what a home library's patrons owe at the lending libraries",
  description:
    "Lists by home key how many checkouts of a home library's patrons are overdue at each lending library and what they owe there, in " +
    'its currency, as it was read last; never a title or an item. Lending libraries with `owed: off` are not listed. A patron who owes ' +
    "more than the agreement's `block_home_over` in two readings is restricted at home until it is settled. It is recorded in the audit " +
    'log. The exit code is 1 if a lending library was not read for a day and a half.',
  examples: [
    'passport owed --of midland',
    'passport owed --of midland --at riverside --read',
    'passport owed --of midland --json',
  ],
  options: {
    of: required('<library>', 'the home library'),
    at: optional('<library>', 'only at this lending library'),
    read: flag('have a worker read it now'),
  },
  run: (wanted, _args, report, deps) =>
    withQueue(deps, async (open): Promise<0 | 1> => {
      findLibrary(open.consortium, wanted.of);
      if (wanted.at !== undefined) findLibrary(open.consortium, wanted.at);
      const lenders = (await owedAt(open, wanted.of, wanted.at)).map(({ lending }) => lending);
      openAudit(deps, 'owed', 'what is owed, for an operator')({ home: wanted.of, lending: lenders });
      if (lenders.length === 0) report.progress('no lending library lets this home library know (owed: off)');
      if (wanted.read === true) await readNow(open, lenders, report, deps);
      const all = await owedAt(open, wanted.of, wanted.at);
      report.json({ home: wanted.of, libraries: all.map(toJson) });
      printTable(all, report);
      return printReadings(all, await open.now(), report).length > 0 ? 1 : 0;
    }),
});

import { Option } from 'commander';
import { type OwedReading, readOwed } from '@passport/queue';
import type { CommandDraft } from '../../program/command.ts';
import { findLibrary } from '../../program/find-library.ts';
import { openLog } from '../../program/open-log.ts';
import { amountOf } from '../../places/describe-place.ts';
import type { Report } from '../../program/report.ts';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import { readNow } from './read-now.ts';

interface OwedOptions {
  readonly of: string;
  readonly at?: string;
  readonly read?: true;
}

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
  { of: home, at }: OwedOptions,
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
    amount: amountOf(row.amount),
    restricted: row.restricted,
  }));

const toJson = (owed: OwedAt) => ({
  lending: owed.lending,
  read_at: owed.reading === null ? null : new Date(owed.reading.read_ms).toISOString(),
  block_home_over: owed.blockHomeOver === null ? null : amountOf(owed.blockHomeOver),
  unconfirmed: owed.reading?.unconfirmed ?? 0,
  patrons: rowsOf(owed),
});

const HEADER = ['lending', 'home key', 'overdue', 'amount', 'at home'] as const;

function printTable(all: readonly OwedAt[], { line, colors }: Report): void {
  const rows = all.flatMap((owed) =>
    rowsOf(owed).map((row) => [
      owed.lending,
      row.home_key,
      String(row.overdues),
      row.amount,
      row.restricted ? 'restricted' : '',
    ]),
  );
  if (rows.length === 0) return line('nothing is owed');
  const widths = HEADER.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const aligned = (row: readonly string[]): string =>
    row
      .map((text, column) =>
        column === 2 || column === 3 ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  line(colors.dim(aligned(HEADER)));
  for (const row of rows) line(aligned(row));
}

/** What the table does not say: when it was read, and what is left out. Returns the libraries that could not be read of late. */
function printReadings(all: readonly OwedAt[], nowMs: number, { line, progress }: Report): readonly string[] {
  for (const { lending, reading, blockHomeOver } of all) {
    const read = reading === null ? 'not read yet' : `read ${new Date(reading.read_ms).toISOString()}`;
    const block = blockHomeOver === null ? '' : `, restricted at home over ${amountOf(blockHomeOver)}`;
    line(`${lending}: ${read}${block}`);
    const left = reading?.unconfirmed ?? 0;
    if (left > 0) progress(`${lending}: ${left} copies left out: no receipt says that they were made there`);
  }
  const isOutdated = ({ reading }: OwedAt): boolean =>
    reading === null || nowMs - reading.read_ms > OUTDATED_MS;
  return all.filter(isOutdated).map(({ lending }) => lending);
}

export const owed: CommandDraft<OwedOptions> = {
  name: 'owed',
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
  options: [
    new Option('--of <library>', 'the home library').makeOptionMandatory(),
    new Option('--at <library>', 'only at this lending library'),
    new Option('--read', 'have a worker read it now'),
  ],
  run: (wanted, _args, report, deps) =>
    withQueue(deps, async (open): Promise<0 | 1> => {
      findLibrary(open.consortium, wanted.of);
      if (wanted.at !== undefined) findLibrary(open.consortium, wanted.at);
      const lenders = (await owedAt(open, wanted)).map(({ lending }) => lending);
      openLog(deps).info(
        { audit: true, action: 'owed', by: deps.user, home: wanted.of, lending: lenders },
        'what is owed, for an operator',
      );
      if (lenders.length === 0) report.progress('no lending library lets this home library know (owed: off)');
      if (wanted.read === true) await readNow(open, lenders, report, deps);
      const all = await owedAt(open, wanted);
      report.json({ home: wanted.of, libraries: all.map(toJson) });
      printTable(all, report);
      return printReadings(all, await open.now(), report).length > 0 ? 1 : 0;
    }),
};

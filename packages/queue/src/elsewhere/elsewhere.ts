import { parsePatronNumber } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { copyOfHomeKey } from '../keys.ts';
import { type CopyRecord, readCopyRecords, scanCopyRecords } from '../copies/index.ts';
import { type OwedReading, readOwed } from '../sweeps/index.ts';

/** What a home library may know of one copy of a patron of its own: where it is, and what went there. No name, and no value. */
export interface CopyElsewhere {
  /** Koha's number of the patron at home. */
  readonly patronId: number;
  readonly lending: string;
  /** In ms since 1970; null where that is not known. */
  readonly sinceMs: number | null;
  /** When values went there last. */
  readonly passedMs: number | null;
  /** Koha's names of all fields that went there. */
  readonly fields: readonly string[];
  /** Whether the patron was asked there, and agreed. */
  readonly isAgreed: boolean;
  /** As it was read last; null where the lending library does not say. */
  readonly owed: { readonly overdues: number; readonly amount: number; readonly readMs: number } | null;
}

/** The number in a home key of this library; null where it is another's. */
function numberAt(home: string, homeKey: string): number | null {
  const number = homeKey.startsWith(`${home}:`) ? homeKey.slice(home.length + 1) : '';
  return parsePatronNumber(number);
}

function copyOf(
  { homeKey, fields, agreed, madeMs, passedMs }: CopyRecord,
  patronId: number,
  { lending, reading }: { readonly lending: string; readonly reading: OwedReading | null },
): CopyElsewhere {
  const { overdues = 0, amount = 0 } = reading?.rows[homeKey] ?? {};
  const owed = reading === null ? null : { overdues, amount, readMs: reading.read_ms };
  return {
    patronId,
    lending,
    sinceMs: madeMs,
    passedMs,
    fields: fields.toSorted(),
    isAgreed: agreed !== null,
    owed,
  };
}

/**
 * All copies of a home library's patrons that are on record at these lending libraries, by patron number and lending library. Reads the
 * records of all these libraries.
 */
export async function readPatronsElsewhere(
  redis: Redis,
  home: string,
  lenders: readonly string[],
): Promise<readonly CopyElsewhere[]> {
  const found: CopyElsewhere[] = [];
  for (const lending of lenders.filter((each) => each !== home)) {
    const isTheirs = ({ homeKey }: CopyRecord): boolean => numberAt(home, homeKey) !== null;
    const records = await scanCopyRecords(redis, lending, isTheirs);
    const reading = records.size === 0 ? null : await readOwed(redis, lending, home);
    for (const record of records.values()) {
      const patronId = numberAt(home, record.homeKey);
      if (patronId !== null) found.push(copyOf(record, patronId, { lending, reading }));
    }
  }
  return found.toSorted(
    (one, other) => one.patronId - other.patronId || (one.lending < other.lending ? -1 : 1),
  );
}

/** The copies of one patron of a home library, by a few commands for each lending library; of two at one library the later one. */
export async function readPatronElsewhere(
  redis: Redis,
  { home, patronId }: { readonly home: string; readonly patronId: number },
  lenders: readonly string[],
): Promise<readonly CopyElsewhere[]> {
  const homeKey = `${home}:${patronId}`;
  const copies = lenders.map(async (lending) => {
    const number = lending === home ? null : await redis.hget(copyOfHomeKey(lending), homeKey);
    if (number === null) return [];
    const record = (await readCopyRecords(redis, lending, [Number(number)])).get(Number(number));
    if (record?.homeKey !== homeKey) return [];
    return [copyOf(record, patronId, { lending, reading: await readOwed(redis, lending, home) })];
  });
  return (await Promise.all(copies)).flat();
}

/** Sums of one lending library; amounts of two may be in two currencies. */
export interface ElsewhereTotals {
  readonly lending: string;
  readonly copies: number;
  readonly overdues: number;
  /** Hundredths of the lending library's currency. */
  readonly amount: number;
}

/** The sums of a list, by lending library. */
export function elsewhereTotals(copies: readonly CopyElsewhere[]): readonly ElsewhereTotals[] {
  const sum = (of: readonly CopyElsewhere[], read: (copy: CopyElsewhere) => number): number =>
    of.reduce((total, each) => total + read(each), 0);
  return [...new Set(copies.map(({ lending }) => lending))].toSorted().map((lending) => {
    const there = copies.filter((copy) => copy.lending === lending);
    return {
      lending,
      copies: there.length,
      overdues: sum(there, ({ owed }) => owed?.overdues ?? 0),
      amount: sum(there, ({ owed }) => owed?.amount ?? 0),
    };
  });
}

/** Hundredths, as a person reads them. */
export const amountText = (hundredths: number): string => (hundredths / 100).toFixed(2);

const timeText = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString());

/** A list as CSV (RFC 4180). Numbers, ids, times and names of fields need no quotes; fields are divided by blanks. */
export function elsewhereCsv(copies: readonly CopyElsewhere[]): string[] {
  const header = [
    'patron_id',
    'lending',
    'since',
    'last_passed_on',
    'fields',
    'overdues',
    'amount',
    'read_at',
  ];
  const lines = copies.map(({ patronId, lending, sinceMs, passedMs, fields, owed }) => [
    patronId,
    lending,
    timeText(sinceMs),
    timeText(passedMs),
    fields.join(' '),
    owed?.overdues ?? '',
    owed === null ? '' : amountText(owed.amount),
    timeText(owed?.readMs ?? null),
  ]);
  return [header, ...lines].map((cells) => cells.join(','));
}

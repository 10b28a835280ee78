import { setTimeout as pause } from 'node:timers/promises';
import { runPassport } from '../harness/run-passport.ts';
import type { Consortium } from '../harness/start-consortium.ts';
import { type ChaosLibrary, LIBRARIES } from './chaos-libraries.ts';
import type { CopyThere, StoredReceipt } from './chaos-disclosures.ts';

/**
 * Has every library swept once more in full, now that nothing is broken: what a run was about to pass on when it was killed is passed
 * on. Returns the libraries where no sweep was done within `patienceMs`.
 */
export async function sweepToTheEnd(
  consortium: Consortium<ChaosLibrary>,
  patienceMs: number,
): Promise<readonly ChaosLibrary[]> {
  const sinceMs = Date.now();
  const givesUpAt = performance.now() + patienceMs;
  const sweep = async (library: ChaosLibrary): Promise<readonly ChaosLibrary[]> => {
    const { env } = consortium.services;
    while (performance.now() < givesUpAt) {
      await runPassport(['copies', 'refresh', '--at', library, '--full'], { env, mostMs: patienceMs });
      if (await isSweptSince(consortium, library, sinceMs)) return [];
      await pause(1_000);
    }
    return [library];
  };
  return (await Promise.all(LIBRARIES.map(sweep))).flat();
}

async function isSweptSince(
  { redis }: Consortium<ChaosLibrary>,
  library: ChaosLibrary,
  sinceMs: number,
): Promise<boolean> {
  const text = await redis.call('GET', `{passport}:sweep:${library}`);
  const state = JSON.parse(textOf(text) || 'null') as {
    started_ms: number;
    ended_ms: number | null;
    failed: string | null;
    mode: string;
    homes: Readonly<Record<string, { readonly state: string }>>;
  } | null;
  if (state === null || state.ended_ms === null || state.failed !== null || state.mode !== 'full')
    return false;
  return state.started_ms >= sinceMs && Object.values(state.homes).every((home) => home.state === 'done');
}

const textOf = (reply: unknown): string => (typeof reply === 'string' ? reply : '');
const listOf = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : []);
const PAGE = 500;

/** All receipts that Redis has. */
export async function readReceipts({ redis }: Consortium<ChaosLibrary>): Promise<readonly StoredReceipt[]> {
  const receipts: StoredReceipt[] = [];
  for (let from = '-'; ;) {
    const page = listOf(await redis.call('XRANGE', '{passport}:receipts', from, '+', 'COUNT', String(PAGE)));
    for (const entry of page) {
      const [, values] = listOf(entry);
      receipts.push(JSON.parse(textOf(listOf(values)[1])) as StoredReceipt);
    }
    if (page.length < PAGE) return receipts;
    from = `(${textOf(listOf(page.at(-1))[0])}`;
  }
}

/** The home key of each copy that the service has on record, by library and number. */
export async function readRecords({ redis }: Consortium<ChaosLibrary>): Promise<ReadonlyMap<string, string>> {
  const records = new Map<string, string>();
  for (const library of LIBRARIES) {
    const entries = listOf(await redis.call('HGETALL', `{passport}:copies:${library}`));
    for (let at = 0; at < entries.length; at += 2) {
      records.set(`${library} ${textOf(entries[at])}`, textOf(entries[at + 1]).split(' ')[0] ?? '');
    }
  }
  return records;
}

/** The copies at all libraries, as the Kohas have them. */
export function readCopies({ doubles }: Consortium<ChaosLibrary>): readonly CopyThere[] {
  return LIBRARIES.flatMap((lender) =>
    doubles[lender].state().patrons.flatMap(({ patron_id: patronId, extended_attributes: marks }) => {
      const homeKey = marks.find(({ type }) => type === 'PASSPORTED_ID')?.value;
      return typeof homeKey === 'string' ? [{ lender, patronId, homeKey }] : [];
    }),
  );
}

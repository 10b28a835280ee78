import { type KohaRestriction, isOfOneRecord } from '@passport/koha-client';
import { buildIsWritten, isRenumbered } from '@passport/patron-rules';
import type { ReadCopyRecords } from '@passport/queue/copies';
import type { OwedRow } from '@passport/queue/sweeps';
import type { Encryption } from '@passport/runtime';
import type { SweepCall } from '../koha/sweep-calls.ts';
import type { CopiesContext } from '../work-context.ts';

/** One reading can be wrong, or made up for a night: who is restricted owed too much in two of them, nearly a day apart. */
const OVER_FOR_MS = 20 * 3_600_000;
/** More than this are not restricted for one lending library in a night, whatever it says; the others another night. */
const MOST_NEW = 50;
/** A home that answers slowly holds a sweep worker no longer: who is left is done at the next reading. */
const LONGEST_MS = 300_000;

/** What the patrons of `home` owe at `lending`, by home key, after `over_since_ms` was decided. */
export interface OwedPair {
  readonly home: string;
  readonly lending: string;
  readonly rows: ReadonlyMap<string, OwedRow>;
  /** The lending Koha's number of a copy of each. */
  readonly copies: ReadonlyMap<string, number>;
}

const numberOf = (homeKey: string): number => Number(homeKey.slice(homeKey.indexOf(':') + 1));

interface RestrictDeps extends Pick<CopiesContext, 'now' | 'log'> {
  readonly call: SweepCall;
  readonly readRecords: ReadCopyRecords;
  readonly encryption: Pick<Encryption, 'hashes'>;
}

/**
 * Restricts at home who has owed more than the agreement allows for long enough, and lifts the restrictions of who does not owe as
 * much any more: those that the service has set for this lending library, and no others. Returns the home keys of who is restricted,
 * or null where the home has no plugin that can do it. Throws KohaError or LibraryClosed where the home did not answer; whom it may
 * have restricted before that is in `were`.
 */
export async function restrictAtHome(
  pair: OwedPair,
  were: Set<string>,
  deps: RestrictDeps,
): Promise<ReadonlySet<string> | null> {
  const { home, lending, rows } = pair;
  const { call, now, log } = deps;
  const endsMs = now() + LONGEST_MS;
  const isOver = (): boolean => now() >= endsMs;
  const listed = await call(home, (koha) => koha.listRestrictions('owed'));
  if (listed === null) return null;
  const keyOf = ({ patronId }: KohaRestriction): string => `${home}:${patronId}`;
  const restricted = new Set(listed.filter(({ library }) => library === lending).map(keyOf));
  const since = (homeKey: string): number | null => rows.get(homeKey)?.over_since_ms ?? null;
  const isDue = (homeKey: string): boolean => now() - (since(homeKey) ?? Infinity) >= OVER_FOR_MS;
  const settled = [...restricted].filter((homeKey) => since(homeKey) === null);
  const due = rotated(
    [...rows.keys()].filter((homeKey) => isDue(homeKey) && !restricted.has(homeKey)),
    now(),
  );
  /** Returns whether the home could do it: who is gone or anonymised there is not restricted. */
  const change = async (homeKey: string, isSet: boolean): Promise<boolean> => {
    // Where the answer is lost the restriction may be there.
    if (isSet) were.add(homeKey);
    const restriction = { patronId: numberOf(homeKey), kind: 'owed', library: lending } as const;
    const set = async () =>
      (await isOfAnother(homeKey, pair, deps))
        ? ('other_person' as const)
        : call(home, (koha) => koha.setRestriction(restriction, null));
    const lift = () => call(home, (koha) => koha.liftRestriction(restriction));
    const result = await (isSet ? set() : lift()).catch((error: unknown) => {
      // One record that breaks keeps nobody else restricted.
      if (isOfOneRecord(error)) return 'refused' as const;
      throw error;
    });
    const action = isSet ? 'restrict' : 'lift restriction';
    log.info({ audit: true, action, home, lending, home_key: homeKey, result }, action);
    if (result === 'refused') return true;
    if (isSet && result === 'done') restricted.add(homeKey);
    else restricted.delete(homeKey);
    return result === 'done';
  };
  for (const homeKey of settled) if (!isOver()) await change(homeKey, false);
  let tried = 0;
  for (const homeKey of due) {
    if (tried === MOST_NEW || isOver()) break;
    if (await change(homeKey, true)) tried += 1;
  }
  return restricted;
}

/** The keys from another one on each day, so that those at the end of a slow home have their turn. */
function rotated(homeKeys: readonly string[], nowMs: number): readonly string[] {
  const first = (Math.floor(nowMs / 86_400_000) * MOST_NEW) % Math.max(1, homeKeys.length);
  return [...homeKeys.slice(first), ...homeKeys.slice(0, first)];
}

/** Whether home has given the number to somebody else since the copy was made, as after a new installation: who owes is not there. */
async function isOfAnother(
  homeKey: string,
  { home, lending, copies }: OwedPair,
  { call, readRecords, encryption }: RestrictDeps,
): Promise<boolean> {
  const patronId = copies.get(homeKey) ?? 0;
  const record = (await readRecords(lending, [patronId])).get(patronId);
  if (record === undefined) return false;
  const copy = await call(lending, (koha) => koha.readPatron(patronId));
  const patron = await call(home, (koha) => koha.readPatron(numberOf(homeKey)));
  if (copy === null || patron === null) return false;
  const rows = await call(lending, (koha) =>
    koha.readRememberedCopies({ after: patronId - 1, upTo: patronId }),
  );
  const fields = rows?.[0]?.fields ?? {};
  const isWritten = buildIsWritten({ lending, patronId, homeKey, record }, encryption);
  return isRenumbered({ copy, home: patron, fields, passedOn: record.fields, isWritten });
}

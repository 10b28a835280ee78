import { type KohaPatron, storeRemembered } from '@passport/koha-client';
import {
  buildIsWritten,
  copyCategoriesOf,
  homeKeyOf,
  homeKeysOf,
  isCopy,
  isInForeignCategory,
  isNumberOf,
  isSomebodyElse,
  numbersAt,
} from '@passport/patron-rules';
import { type CopyRecord, MOST_FORMER_KEYS } from '@passport/queue/copies';
import { type CopyPair, isShared } from './copy-pair.ts';
import type { SweepDeps } from './sweep-state.ts';

export type RekeyDeps = Pick<SweepDeps, 'call' | 'passOn' | 'encryption' | 'records' | 'log'>;

/** A copy on record whose number home does not know any more. */
interface Orphan {
  readonly pair: CopyPair;
  readonly patronId: number;
  readonly homeKey: string;
  readonly record: CopyRecord;
  readonly dryRun: boolean;
  /** Of the sweep, or the scan. */
  readonly sweepId: string;
}

/** `none`: home shares nobody who has the copy's card under another number, or was not asked. */
export type Followed =
  { readonly kind: 'none' | 'unsure' } | { readonly kind: 'rekeyed'; readonly homeKey: string };

const NONE: Followed = { kind: 'none' };
const UNSURE: Followed = { kind: 'unsure' };

/**
 * Looks whether home has merged a patron into another record, and gives the copy the number that the patron has there now. That is done
 * only where one record of home has the card that the service itself wrote into the copy, names and birth date agree, the number of before
 * is nobody's, and no other copy has the new one: so neither a home can make a copy follow another person, nor the lending library obtain
 * the data of one. Throws KohaError or LibraryClosed, and SweepPaused where the hour is used up.
 */
export async function followMerge(orphan: Orphan, deps: RekeyDeps): Promise<Followed> {
  const { pair, patronId, homeKey } = orphan;
  const { home, lending } = pair;
  const { call } = deps;
  const copy = await call(lending.id, (koha) => koha.readPatron(patronId));
  const card = copy?.cardnumber ?? null;
  if (copy === null || card === null || !pair.isOwnCard(card) || !isAsMade(copy, orphan)) return NONE;
  const written = await readWritten(copy, orphan, deps);
  if (written.cardnumber === null) return NONE;
  const cards = numbersAt(home, card);
  const found = await call(home.id, (koha) => koha.findByCard(cards, { attributes: true, balance: false }));
  const others = found.filter(
    (each) => isNumberOf(home, card, each.cardnumber ?? '') && homeKeyOf(home.id, each.patronId) !== homeKey,
  );
  const [patron, another] = others.filter((each) => !isCopy(each, pair.passportTypes));
  if (patron === undefined || !isShared(patron, pair)) return NONE;
  if (another !== undefined || patron.anonymized === true || isSomebodyElse(written, patron)) return UNSURE;
  const before = Number(homeKey.slice(homeKey.lastIndexOf(':') + 1));
  const former = await call(home.id, (koha) => koha.readPatron(before));
  if (former !== null && former.anonymized !== true) return UNSURE;
  return rekey(copy, { ...orphan, to: homeKeyOf(home.id, patron.patronId) }, deps);
}

/** Whether a record is still the copy that was made: its one home key, its passport, a category of copies. */
function isAsMade(copy: KohaPatron, { pair: { lending, passportTypes: types }, homeKey }: Orphan): boolean {
  const keys = homeKeysOf(copy, lending.copy);
  const isForeign = isInForeignCategory(copy, { copyCategories: copyCategoriesOf(lending.copy) });
  return (
    !copy.hidden && copy.anonymized !== true && isCopy(copy, types) && !isForeign && keys.join() === homeKey
  );
}

/** What the service itself wrote of the person into the copy; null for what somebody at the lending library entered, which leads to whom they like. */
async function readWritten(
  { patronId, cardnumber, surname, firstname, dateOfBirth }: KohaPatron,
  { pair: { lending }, homeKey, record }: Orphan,
  { call, encryption }: RekeyDeps,
) {
  const rows = await call(lending.id, (koha) =>
    koha.readRememberedCopies({ after: patronId - 1, upTo: patronId }),
  );
  const isWritten = buildIsWritten({ lending: lending.id, patronId, homeKey, record }, encryption);
  const asWritten = (field: string, value: string | null): string | null =>
    isWritten(field, value, rows?.[0]?.fields[field]?.hash ?? '') === true ? value : null;
  return {
    cardnumber: asWritten('cardnumber', cardnumber),
    surname: asWritten('surname', surname),
    firstname: asWritten('firstname', firstname),
    dateOfBirth: asWritten('date_of_birth', dateOfBirth),
  };
}

/** Whether a copy got another home key by its record, and the lending Koha still shows the one of before: both of the same home. */
export function isUnfinished(record: CopyRecord | null, shown: string | null): boolean {
  if (record === null || shown === null || record.homeKey === shown) return false;
  const homeOf = (homeKey: string): string => homeKey.slice(0, homeKey.lastIndexOf(':'));
  return record.formerKeys.includes(shown) && homeOf(record.homeKey) === homeOf(shown);
}

/**
 * Finishes what was interrupted: the record of the copy has its new home key, and the lending Koha shows the one of before. Throws as
 * `followMerge`.
 */
export async function finishRekey(copy: KohaPatron, orphan: Orphan, deps: RekeyDeps): Promise<Followed> {
  const fresh = await deps.call(orphan.pair.lending.id, (koha) => koha.readPatron(copy.patronId));
  if (fresh === null || !isAsMade(fresh, orphan)) return UNSURE;
  return rekey(fresh, { ...orphan, to: orphan.record.homeKey }, deps);
}

/** One for each time that a copy is given another number: a run that goes on after an interrupted one writes no second receipt. */
function rekeyId(
  { homeKey, formerKeys: { length } }: CopyRecord,
  { patronId, to, sweepId }: { readonly patronId: number; readonly to: string; readonly sweepId: string },
): string {
  // Where a record has all former keys that it can have, how many they are tells two times apart no longer.
  if (length >= MOST_FORMER_KEYS) return sweepId;
  return `rekey-${patronId}-${homeKey === to ? length : length + 1}`;
}

/**
 * Gives a copy its new home key, after its receipt: first the service's own record, then what the plugin remembers, then the record in
 * Koha. A run that ends in between is finished by the next one, which finds the key of before among the record's former ones.
 */
async function rekey(
  copy: KohaPatron,
  { pair, patronId, homeKey: from, record, dryRun, sweepId, to }: Orphan & { readonly to: string },
  { call, passOn, records, log }: RekeyDeps,
): Promise<Followed> {
  const { home, lending } = pair;
  const { homeKeyAttribute: type } = lending.copy;
  const attributeId =
    copy.attributes?.find((each) => each.type === type && each.value?.trim() === from)?.id ?? null;
  if (type === null || attributeId === null) return UNSURE;
  const owner = await records.find(lending.id, to);
  if (owner !== null && owner !== patronId) return UNSURE;
  if (dryRun) return { kind: 'rekeyed', homeKey: to };
  const eventId = rekeyId(record, { patronId, to, sweepId });
  const receipt = { home: home.id, lending: lending.id, homeKey: to, fields: [], eventId, patronId } as const;
  const changed = await passOn({ ...receipt, what: 'rekeyed', formerKey: from }, async (sending) => {
    const isTaken = await call(lending.id, (koha) => sending(() => koha.isAttributeTaken(type, to)));
    if (isTaken) return { kind: 'taken' } as const;
    await records.rekey(lending.id, { patronId, from, to });
    return call(lending.id, async (koha) => {
      await sending(() => storeRemembered(koha, { patronId, homeKey: to }, (fields) => fields));
      return sending(() => koha.changeAttribute({ patronId, attributeId }, to));
    });
  });
  const isDone = changed.kind === 'changed';
  const line = { lending: lending.id, home: home.id, patron_id: patronId, home_key: to, former_key: from };
  const result = isDone ? 'done' : changed.kind;
  log.info({ audit: true, action: 'rekey', ...line, sweep: sweepId, result }, 'home key of a copy renewed');
  return isDone ? { kind: 'rekeyed', homeKey: to } : UNSURE;
}

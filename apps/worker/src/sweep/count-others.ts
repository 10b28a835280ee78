import type { KohaPatron, ListedPage } from '@passport/koha-client';
import { homeKeysOf, isCopy, passportTypes } from '@passport/patron-rules';
import { NO_NUMBER } from '@passport/queue/copies';
import { OTHER_HOMES } from '@passport/queue/statistics';
import { readRememberedRows } from './read-rows.ts';
import { endStanding, hasEnded } from './refresh-copy.ts';
import { only } from './refresh-fields.ts';
import { type Sweep, pagesOf, save } from './sweep-state.ts';

/** Whoever may write patron attributes can write anything there; only what can be a library's id gets into a report. */
const HOME_KEY = /^([A-Za-z0-9][A-Za-z0-9_-]{0,39}):[1-9]\d{0,14}$/;
const NO_HOME_KEY = '?';
/** So many are named; the others are counted together. */
const MOST_NAMED = 100;

/**
 * Counts, of all copies at a lending library, those of no home that was looked at: their home key names none that they may come from, one
 * that left or was renamed, or a home library none of whose copies is on record. Throws as sweepLibrary does.
 */
export async function countOthers(sweep: Sweep): Promise<void> {
  const { state, lending, deps } = sweep;
  const type = lending.copy.homeKeyAttribute;
  if (type === null) return;
  const agreed = deps.consortium.agreements.homesAt(lending.id);
  const unknown = new Map(Object.entries(state.unknown));
  for await (const page of pagesOf({ type, prefix: '', after: state.after }, sweep)) {
    await endStandings(page, sweep);
    const others = page.patrons.flatMap(({ patronId, attributes }) => {
      const value = attributes?.find((each) => each.type === type)?.value ?? '';
      const [homeKey = `${NO_HOME_KEY}:${NO_NUMBER}`, id = NO_HOME_KEY] = HOME_KEY.exec(value) ?? [];
      return Object.hasOwn(state.homes, id) ? [] : [{ patronId, homeKey, id }];
    });
    const ofHomes = others.flatMap(({ patronId, id }) => (agreed.has(id) ? [patronId] : []));
    // Made since this sweep began: the next one looks at them.
    const records = await deps.readRecords(lending.id, ofHomes);
    for (const { patronId, homeKey, id } of others) {
      if (records.get(patronId)?.homeKey === homeKey) continue;
      const isAgreed = agreed.has(id);
      sweep.found.push({ patronId, homeKey, open: only(isAgreed ? 'NOT_ON_RECORD' : 'HOME_UNKNOWN').open });
      const name = isAgreed || unknown.has(id) || unknown.size < MOST_NAMED ? id : OTHER_HOMES;
      unknown.set(name, (unknown.get(name) ?? 0) + 1);
    }
    state.unknown = Object.fromEntries(unknown);
    state.after = page.last;
    await save(sweep);
  }
  const notLooked = (home: string): boolean => !Object.hasOwn(state.homes, home);
  await deps.findings.prune(notLooked);
  await deps.unanswered.forget([...agreed].filter(notLooked));
}

/** The copies on record of libraries with which the lending library has no agreement any more are in no good standing. */
async function endStandings({ patrons }: ListedPage, { state, lending, deps }: Sweep): Promise<void> {
  const { call, readRecords } = deps;
  const keyOf = (copy: KohaPatron): string => homeKeysOf(copy, lending.copy).join();
  const homeOf = (homeKey: string): string => homeKey.slice(0, Math.max(0, homeKey.indexOf(':')));
  const ended = patrons.filter(
    (copy) =>
      isCopy(copy, passportTypes(deps.consortium)) &&
      hasEnded(deps.consortium, { lending: lending.id, home: homeOf(keyOf(copy)) }),
  );
  const ids = ended.map(({ patronId }) => patronId);
  const records = await readRecords(lending.id, ids);
  const onRecord = ended.filter((copy) => records.get(copy.patronId)?.homeKey === keyOf(copy));
  const memory = await readRememberedRows(
    call,
    lending.id,
    onRecord.map(({ patronId }) => patronId),
  );
  for (const copy of onRecord) {
    const record = records.get(copy.patronId);
    if (record === undefined) continue;
    const remembered = memory.found.get(copy.patronId) ?? null;
    const { homeKey } = record;
    const home = homeOf(homeKey);
    const write = { dryRun: state.dry_run, sweepId: state.id };
    const of = { ...deps, ...write, lending, home, copy, homeKey, record, remembered };
    const { changed } = await endStanding(of);
    // The page is not counted yet: it is gone through again, and what was written is passed over.
    if (changed > 0 && !state.dry_run) deps.slice.endIfOver('page');
  }
}

import { chooseCategory } from '@passport/patron-rules';
import { ruleInForce, saysZero } from '@passport/set-up';
import type { Journal, JournalEntry } from './journal.ts';
import { MARK, type Site } from './site.ts';
import { Differs } from './trial.ts';

/** What lets copies borrow what the rehearsal lends: of a release that stores no rules by its API nothing is set. */
const RULES = { maxissueqty: '5', issuelength: '7', lengthunit: 'days' } as const;
const NAMES = Object.keys(RULES) as (keyof typeof RULES)[];

/** Those of the three that are stored for exactly this scope. */
async function storedAt(
  { koha }: Site,
  { branch, category, itemType }: Omit<Extract<JournalEntry, { kind: 'rule' }>, 'names'>,
): Promise<Readonly<Partial<typeof RULES>>> {
  const found: [string, string][] = [];
  for (const name of NAMES) {
    const rows = await koha.storedRules(name);
    const own = rows.find(
      (row) => row.branch === branch && row.category === category && row.itemType === itemType,
    );
    if (own !== undefined) found.push([name, own.value]);
  }
  return Object.fromEntries(found) as Partial<typeof RULES>;
}

/**
 * Looks for a circulation rule by which copies may borrow, before anything is made. Where none applies, one is made and journalled; says
 * so, since visitors need one, too. Throws Differs where the one in force forbids it, and where this Koha's API makes none.
 */
export async function ensureRule(
  site: Site,
  itemType: string,
  journal: Journal,
  remark: (what: string) => void,
): Promise<void> {
  const { koha, library, branch } = site;
  const { circulationRules, setsCirculationRules } = await koha.capabilities();
  const category = library.copy.category === null ? null : chooseCategory(library.copy.category, MARK);
  if (!circulationRules || category === null) return;
  const inForce = ruleInForce(await koha.storedRules('maxissueqty'), { branch, category }, itemType);
  const what = `${library.id}: the category ${category}, item type ${itemType}, branch ${branch}`;
  if (inForce !== undefined) {
    if (saysZero(inForce)) throw new Differs(`${what}: the circulation rule (maxissueqty) says 0`);
    return;
  }
  if (!setsCirculationRules)
    throw new Differs(
      `${what}: no circulation rule (maxissueqty, issuelength) applies, and the API of this release makes none: set one`,
    );
  const scope = { kind: 'rule', library: library.id, branch, category, itemType } as const;
  const there = await storedAt(site, scope);
  const names = NAMES.filter((name) => there[name] === undefined);
  await journal.note({ ...scope, names });
  const missing = names.map((name) => [name, RULES[name]]);
  const set = await koha.setRules(scope, Object.fromEntries(missing) as Partial<typeof RULES>);
  if (set.kind === 'refused') throw new Differs(`${what}: no rule can be set: ${set.code ?? set.status}`);
  remark(`${what}: no circulation rule applies; one was made for the rehearsal. Visitors need one: set it`);
}

/**
 * Removes a rule that a rehearsal made: what was there before, or has another value by now, is somebody's. Null: there was nothing of it; a
 * text: it could not be removed, and why. Throws KohaError.
 */
export async function removeRule(
  site: Site,
  entry: Extract<JournalEntry, { kind: 'rule' }>,
): Promise<'removed' | { readonly stuck: string } | null> {
  if (!(await site.koha.capabilities()).setsCirculationRules) return null;
  const stored = await storedAt(site, entry);
  const ours = NAMES.filter((name) => entry.names.includes(name) && stored[name] === RULES[name]);
  if (ours.length === 0) return null;
  const ended = await site.koha.setRules(entry, Object.fromEntries(ours.map((name) => [name, null])));
  if (ended.kind === 'set') return 'removed';
  const { library, category, itemType, branch } = entry;
  return {
    stuck: `${library} circulation rule of ${category}, ${itemType}, ${branch}: ${ended.code ?? ended.status}`,
  };
}

import type { KohaError } from '@passport/koha-client';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, warning } from './finding.ts';
import { attempt, faultOfFailure } from './koha-failure.ts';

/** A card that nobody has, and a home key that no copy has; neither is a wildcard to Koha. */
const NO_CARD = 'passport-doctor-no-such-card';
const NO_HOME_KEY = 'passport-doctor:0';
/** No Koha has given this number to a patron. */
const NOBODY = 2_147_483_647;

/** One look-up as the worker sends it, through the same method of the client, so that the two cannot differ. */
interface Query {
  readonly what: string;
  /** False: only a setting that nobody uses needs it. */
  readonly isUsed: boolean;
  /** A failure that is Koha's usual answer about nobody, or is reported by another check. */
  readonly isExpected?: (error: KohaError) => boolean;
  readonly send: () => Promise<unknown>;
}

/**
 * Availability writes nothing but for a patron of a statistical category, so it is queried for a patron and an item that do not exist.
 * Koha fails at that with a 500 of its own; a refusal, a page or a missing route is what is looked for.
 */
function availabilityQuery({ koha, library }: Examinee, { branches }: Facts): Query[] {
  const { branch: choice } = library.copy;
  const branch = choice.kind === 'fixed' ? choice.branch : branches?.[0]?.branch;
  if (!library.retry.checkout || branch === undefined) return [];
  return [
    {
      what: 'availability',
      isUsed: true,
      isExpected: ({ status, branch: refused }) => status === 500 || refused !== null,
      send: () => koha.availability(NOBODY, NOBODY, { branch }),
    },
  ];
}

function queriesOf(examinee: Examinee, facts: Facts): Query[] {
  const { koha, library, isHome, isLending, balances } = examinee;
  const { visible } = facts;
  const card = (balance: boolean): Query => ({
    what: balance ? 'the card lookup with attributes and balance' : 'the card lookup with attributes',
    isUsed: balance ? balances.includes(true) : isLending || balances.includes(false),
    send: () => koha.findByCard(NO_CARD, { attributes: true, balance }),
  });
  const { homeKeyAttribute } = library.copy;
  const patronId = isLending ? (visible?.patronId ?? NOBODY) : NOBODY;
  return [
    card(false),
    ...(isHome ? [card(true)] : []),
    { what: 'reading a patron by id', isUsed: true, send: () => koha.readPatron(patronId) },
    ...(isLending && homeKeyAttribute !== null
      ? [
          {
            what: 'the lookup by home key',
            isUsed: true,
            send: () => koha.findByAttribute(homeKeyAttribute, NO_HOME_KEY),
          },
        ]
      : []),
    ...(isLending ? availabilityQuery(examinee, facts) : []),
  ];
}

/** One finding for what has the same cause: the same answer to the same operation. */
function findingOf(failed: readonly { query: Query; error: KohaError }[], permission: string): Finding[] {
  const groups = new Map<string, { queries: Query[]; error: KohaError }>();
  for (const { query, error } of failed) {
    const key = `${error.operation} ${error.code} ${error.status ?? 0}`;
    const group = groups.get(key) ?? { queries: [], error };
    group.queries.push(query);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ queries, error }) => {
    const names = queries.map(({ what }) => what).join(', ');
    const found = faultOfFailure(error, `for ${names}`, permission);
    const problem = found.problem.includes(names) ? found.problem : `${names}: ${found.problem}`;
    if (queries.some(({ isUsed }) => isUsed)) return { ...found, problem };
    const { code, remedy, name, said } = found;
    return warning(code, `${problem}; no eligibility.max_debt needs it yet`, remedy, name, said);
  });
}

/**
 * Sends every kind of look-up that the worker will send here, about nobody, so that the first run at a Koha says what does not fit.
 * `--probe` with an item queries availability for a real patron.
 */
export async function checkQueries(examinee: Examinee, facts: Facts): Promise<Finding[]> {
  if (facts.visible === null) return [];
  const permission = examinee.isLending ? 'borrowers: edit_borrowers' : 'borrowers: list_borrowers';
  const failed: { query: Query; error: KohaError }[] = [];
  for (const query of queriesOf(examinee, facts)) {
    const tried = await attempt(query.send());
    if ('error' in tried && query.isExpected?.(tried.error) !== true) {
      failed.push({ query, error: tried.error });
    }
  }
  return findingOf(failed, permission);
}

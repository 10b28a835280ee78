import * as z from 'zod';
import { type Frozen, deepFreeze } from '../keys/frozen.ts';
import { key, section } from '../keys/key.ts';
import { categoryFilter, fieldNames, FIELDS_ALLOWED, orLeftOut } from '../keys/kinds.ts';

const libraryId = (description: string) =>
  key(z.string().min(1), { description, allowed: 'the id of a library', isRequired: true, absent: '' });

/** One entry of `agreements`: patrons of `home` may borrow at `lending`. One direction. */
export const agreementSchema = section(
  z.strictObject({
    home: libraryId('Id of the home library.'),
    lending: libraryId('Id of the lending library.'),
    /** Null: no narrower than `share` and `copy.fields`. */
    fields: key(orLeftOut(fieldNames), {
      description: 'Fields that may be copied under this agreement. Omitted: no further restriction.',
      allowed: FIELDS_ALLOWED,
      note: 'no restriction',
      absent: null,
    }),
    categories: categoryFilter('Home patron categories that the agreement covers.'),
    /** Who owes more at `lending` is restricted at `home`: hundredths of the currency of `lending`. Null: nobody is. */
    blockHomeOver: key(
      z
        .union([
          z.literal('report'),
          z.strictObject({ block_home_over: z.number().min(0).max(1_000_000).multipleOf(0.01) }),
        ])
        .transform((recourse) => (recourse === 'report' ? null : Math.round(recourse.block_home_over * 100))),
      {
        name: 'recourse',
        description:
          "What becomes of what patrons owe at the lending library, where it has `owed`: it is reported to the home library, or a patron who owes more than this amount, in the lending library's currency, is also restricted there until it is settled.",
        allowed: 'report or {block_home_over: AMOUNT} with an AMOUNT from 0 to 1000000',
        fallback: 'report',
        print: (over) => (over === null ? 'report' : { block_home_over: over / 100 }),
      },
    ),
  }),
  {
    description:
      'One entry of `agreements`. `agreements: all` means every pair of enabled libraries whose lending library has `webhook_secrets`.',
  },
);

export type Agreement = Frozen<z.output<typeof agreementSchema>>;

/** The ordered pairs that can work: both enabled, the lending one with a webhook secret and a category. In the file's order. */
export interface Agreements {
  readonly count: number;
  /** Under which patrons of others may borrow at `lending`. */
  at(lending: string): readonly Agreement[];
  /** Those of `at` whose home is wanted. A lending library may have a thousand, of which a card needs one. */
  among(lending: string, isWanted: (home: string) => boolean): readonly Agreement[];
  /** Whether there is a library whose patrons may borrow at this one. */
  isLending(library: string): boolean;
  /** Whether there is a library where patrons of this one may borrow. */
  isHome(library: string): boolean;
  /** Whose patrons may borrow at `lending`. */
  homesAt(lending: string): ReadonlySet<string>;
  /** Where patrons of `home` may borrow. */
  lendersOf(home: string): ReadonlySet<string>;
  /** All of them, written out: for print. */
  all(): readonly Agreement[];
}

/** Agreements that a file lists, indexed by both sides, in its order. */
export function indexAgreements(list: readonly Agreement[]): Agreements {
  const at = groupBy(list, ({ lending }) => lending);
  const of = groupBy(list, ({ home }) => home);
  const homesAt = (lending: string): ReadonlySet<string> => new Set(at.get(lending)?.map(({ home }) => home));
  return Object.freeze({
    count: list.length,
    at: (lending) => at.get(lending) ?? [],
    among: (lending, isWanted) => at.get(lending)?.filter(({ home }) => isWanted(home)) ?? [],
    isLending: (library) => at.has(library),
    isHome: (library) => of.has(library),
    homesAt,
    lendersOf: (home) => new Set(of.get(home)?.map(({ lending }) => lending)),
    all: () => list,
  } satisfies Agreements);
}

/**
 * `agreements: all`: each of `homes` with each of `lenders` but itself. Pairs are made when somebody looks at them: a thousand
 * libraries have 999,000.
 */
export function crossAgreements(homes: readonly string[], lenders: readonly string[]): Agreements {
  const [isHome, isLender] = [new Set(homes), new Set(lenders)];
  const without = (ids: readonly string[], id: string): readonly string[] =>
    ids.filter((each) => each !== id);
  const among = (lending: string, isWanted: (home: string) => boolean): readonly Agreement[] =>
    isLender.has(lending)
      ? homes
          .filter((home) => home !== lending && isWanted(home))
          .map((home) => ({ home, lending, ...NO_NARROWER }))
      : [];
  const at = (lending: string): readonly Agreement[] => among(lending, () => true);
  return Object.freeze({
    count: homes.length * lenders.length - lenders.filter((id) => isHome.has(id)).length,
    at,
    among,
    isLending: (library) => isLender.has(library) && homes.some((id) => id !== library),
    isHome: (library) => isHome.has(library) && lenders.some((id) => id !== library),
    homesAt: (lending) => new Set(isLender.has(lending) ? without(homes, lending) : []),
    lendersOf: (home) => new Set(isHome.has(home) ? without(lenders, home) : []),
    all: () => lenders.flatMap(at),
  } satisfies Agreements);
}

const NO_NARROWER = deepFreeze({ fields: null, categories: { kind: 'all' }, blockHomeOver: null } as const);

function groupBy(
  list: readonly Agreement[],
  keyOf: (agreement: Agreement) => string,
): ReadonlyMap<string, readonly Agreement[]> {
  const groups = new Map<string, Agreement[]>();
  for (const agreement of list) {
    const group = groups.get(keyOf(agreement));
    if (group === undefined) groups.set(keyOf(agreement), [agreement]);
    else group.push(agreement);
  }
  return groups;
}

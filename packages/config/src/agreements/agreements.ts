import { deepFreeze } from '../file/deep-freeze.ts';
import type { Agreement, Agreements } from '../file/model.ts';

/** Agreements that a file lists, indexed by both sides, in its order. */
export function indexAgreements(list: readonly Agreement[]): Agreements {
  const at = groupBy(list, ({ lending }) => lending);
  const of = groupBy(list, ({ home }) => home);
  const homesAt = (lending: string): ReadonlySet<string> => new Set(at.get(lending)?.map(({ home }) => home));
  const indexed = new Map([...at.keys()].map((lending) => [lending, homesAt(lending)]));
  return Object.freeze({
    count: list.length,
    at: (lending) => at.get(lending) ?? [],
    among: (lending, isWanted) => at.get(lending)?.filter(({ home }) => isWanted(home)) ?? [],
    isLending: (library) => at.has(library),
    isHome: (library) => of.has(library),
    homesAt,
    lendersOf: (home) => new Set(of.get(home)?.map(({ lending }) => lending)),
    haveLenderInCommon: (home, other) =>
      of.get(home)?.some(({ lending }) => indexed.get(lending)?.has(other) === true) === true,
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
    haveLenderInCommon: (home, other) =>
      isHome.has(home) && isHome.has(other) && lenders.some((id) => id !== home && id !== other),
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

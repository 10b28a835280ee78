import type { SeenAnswer, Side } from './site.ts';

/** What the stand-in answers, by release: in each scenario, and how each answer of an operation looks. */
type ExpectedAnswers = Readonly<Record<string, AnswersOfRelease>>;

export interface AnswersOfRelease {
  /** By scenario: `SIDE OPERATION STATUS`, sorted. */
  readonly scenarios: Readonly<Record<string, readonly string[]>>;
  /** By `OPERATION STATUS`: the types of each part, by its path. */
  readonly parts: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

type Parts = AnswersOfRelease['parts'][string];

/** Most answers look the same in all releases: each is stored once, and named by its place. */
interface PackedAnswers {
  readonly states: readonly (readonly string[])[];
  readonly shapes: readonly Parts[];
  readonly releases: Readonly<
    Record<
      string,
      {
        readonly scenarios: Readonly<Record<string, number>>;
        readonly parts: Readonly<Record<string, number>>;
      }
    >
  >;
}

/** Reads what `npm run rehearsal:answers` has written. */
export function unpackAnswers(text: string): ExpectedAnswers {
  const { states, shapes, releases } = JSON.parse(text) as PackedAnswers;
  const resolved = <T>(places: Readonly<Record<string, number>>, of: readonly T[]): Record<string, T> =>
    Object.fromEntries(
      Object.entries(places).flatMap(([name, place]) => {
        const found = of[place];
        return found === undefined ? [] : [[name, found]];
      }),
    );
  return Object.fromEntries(
    Object.entries(releases).map(([release, { scenarios, parts }]) => [
      release,
      { scenarios: resolved(scenarios, states), parts: resolved(parts, shapes) },
    ]),
  );
}

/** What was answered in one scenario. */
export interface AnsweredIn {
  readonly scenario: string;
  readonly answers: readonly SeenAnswer[];
}

const nameOf = ({ operation, status }: Pick<SeenAnswer, 'operation' | 'status'>): string =>
  `${operation} ${status}`;

const typesIn = (text: string | undefined): string[] => (text ?? '').split('|').filter((type) => type !== '');

/** Each part of several answers, with all the types that it had. */
function joinParts(answers: readonly SeenAnswer[]): Record<string, string> {
  const joined = new Map<string, Set<string>>();
  for (const { parts } of answers)
    for (const [path, types] of Object.entries(parts)) {
      const known = joined.get(path) ?? new Set();
      for (const type of typesIn(types)) known.add(type);
      joined.set(path, known);
    }
  const sorted = [...joined].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(sorted.map(([path, types]) => [path, [...types].toSorted().join('|')]));
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
}

/** All answers of a rehearsal, as they are kept to be compared with. Pure. */
export function collectAnswers(answered: readonly AnsweredIn[]): AnswersOfRelease {
  const scenarios = answered.map(({ scenario, answers }) => {
    const seen = new Set(answers.map((answer) => `${answer.side} ${nameOf(answer)}`));
    return [scenario, [...seen].toSorted()] as const;
  });
  const byName = groupBy(
    answered.flatMap(({ answers }) => answers),
    nameOf,
  );
  const parts = [...byName].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return {
    scenarios: Object.fromEntries(scenarios.filter(([, seen]) => seen.length > 0)),
    parts: Object.fromEntries(parts.map(([name, answers]) => [name, joinParts(answers)])),
  };
}

/** The release whose answers a Koha's are compared with, and whether it is that Koha's own. */
export function releaseFor(
  kohaVersion: string | null,
  expected: ExpectedAnswers,
): { readonly release: string; readonly isOwn: boolean } {
  const known = Object.keys(expected).toSorted();
  const own = /^\d\d\.\d\d/.exec(kohaVersion ?? '')?.[0];
  if (own !== undefined && known.includes(own)) return { release: own, isOwn: true };
  // A development version is compared with the release before it.
  const before = known.findLast((release) => own === undefined || release < own);
  return { release: before ?? known[0] ?? '', isOwn: false };
}

const parentOf = (path: string): string => path.replace(/(?:\[\]|\.?[A-Za-z0-9_]+)$/, '');

/** Null may stand for any value, here and there: whether a column is filled is data. */
function partDifferences(
  name: string,
  actual: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(expected).flatMap(([path, text]) => {
    const shown = path === '' ? 'the body' : path;
    const wanted = typesIn(text).filter((type) => type !== 'null');
    const types = actual[path];
    if (types === undefined) {
      // Rows may be missing; a part of an object that is there may not.
      const isRow = path.endsWith('[]');
      const isInObject = typesIn(actual[parentOf(path)]).includes('object');
      return !isRow && isInObject ? [`${name} lacks ${shown}`] : [];
    }
    if (wanted.length === 0) return [];
    const strange = typesIn(types).filter((type) => type !== 'null' && !wanted.includes(type));
    return strange.length === 0
      ? []
      : [`${name}: ${shown} is ${strange.join('|')}, the stand-in's ${wanted.join('|')}`];
  });
}

/** A difference between an answer and that of the stand-in in the same state. */
export interface AnswerDifference {
  readonly side: Side;
  /** Null: in all of them. */
  readonly scenario: string | null;
  readonly text: string;
}

/** Compares one Koha's answers with those of the stand-in of its release. Pure. */
export function compareAnswers(
  answered: readonly AnsweredIn[],
  side: Side,
  expected: AnswersOfRelease | undefined,
): AnswerDifference[] {
  if (expected === undefined) return [];
  const own = answered.map(({ scenario, answers }) => ({
    scenario,
    answers: answers.filter((answer) => answer.side === side),
  }));
  const statuses = own.flatMap(({ scenario, answers }) => {
    const known = (expected.scenarios[scenario] ?? []).filter((each) => each.startsWith(`${side} `));
    return [...groupBy(answers, nameOf).keys()].flatMap((name): AnswerDifference[] => {
      if (known.includes(`${side} ${name}`)) return [];
      const operation = name.slice(0, name.lastIndexOf(' '));
      const others = known
        .map((each) => each.slice(side.length + 1))
        .filter((each) => each.slice(0, each.lastIndexOf(' ')) === operation)
        .map((each) => each.slice(operation.length + 1));
      if (others.length === 0) return [];
      const text = `${operation} answers ${name.slice(operation.length + 1)}, the stand-in ${others.join(' or ')}`;
      return [{ side, scenario, text }];
    });
  });
  const byName = groupBy(
    own.flatMap(({ answers }) => answers),
    nameOf,
  );
  const shapes = [...byName].flatMap(([name, answers]) => {
    const wanted = expected.parts[name];
    if (wanted === undefined) return [];
    return partDifferences(name, joinParts(answers), wanted).map((text) => ({ side, scenario: null, text }));
  });
  return [...statuses, ...shapes];
}

/** One thing that is wrong: where, what, and what would be right. Never holds a value from the file or the environment. */
export interface ConfigProblem {
  /** Path in the file such as `libraries[1].koha.timeout`, or the name of an environment variable. */
  readonly path: string;
  readonly problem: string;
  readonly allowed?: string;
  /** Line in the file, from 1. */
  readonly line?: number;
}

/** The problem as one sentence, as the message of the error has it. */
export const describeProblem = ({ path, problem, allowed, line }: ConfigProblem): string =>
  `${path}${line === undefined ? '' : ` (line ${line})`}: ${problem}${allowed === undefined ? '' : `; ${allowed}`}`;

/** Thrown once with every problem of the file and the environment; the message has one line for each. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      [`The configuration has ${count}:`, ...problems.map((problem) => `  ${describeProblem(problem)}`)].join(
        '\n',
      ),
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Where in the file: keys and places in lists. */
export type Path = readonly (string | number)[];

/** `libraries[1].koha.url` for `['libraries', 1, 'koha', 'url']`. */
export function formatPath(path: Path): string {
  return path
    .map((step, place) => (typeof step === 'number' ? `[${step}]` : place === 0 ? step : `.${step}`))
    .join('');
}

/** Collects everything that is wrong, so that one run shows all of it. `lineOf` gives the line of a place in the file. */
export class ProblemList {
  readonly #found: ConfigProblem[] = [];
  readonly #lineOf: (path: Path) => number | null;

  constructor(lineOf: (path: Path) => number | null = () => null) {
    this.#lineOf = lineOf;
  }

  add(path: Path, problem: string, allowed?: string): void {
    const line = this.#lineOf(path);
    this.#found.push({
      path: path.length === 0 ? 'the file' : formatPath(path),
      problem,
      ...(allowed === undefined ? {} : { allowed }),
      ...(line === null ? {} : { line }),
    });
  }

  /** Whether anything is wrong at a place or within it. */
  isAt(path: Path): boolean {
    const place = formatPath(path);
    return this.#found.some(
      (each) =>
        each.path === place || (/^[.[]/.test(each.path.slice(place.length)) && each.path.startsWith(place)),
    );
  }

  /** Takes over what was found elsewhere. */
  include(problems: readonly ConfigProblem[]): void {
    this.#found.push(...problems);
  }

  get found(): readonly ConfigProblem[] {
    return this.#found;
  }
}

/** The places of values that stand in the list before, each with its first place. Empty ones are not compared. */
export function repeats(values: readonly string[]): readonly (readonly [place: number, first: number])[] {
  const first = new Map<string, number>();
  for (const [place, value] of values.entries()) if (!first.has(value)) first.set(value, place);
  return values.flatMap((value, place) => {
    const before = first.get(value) ?? place;
    return value === '' || before === place ? [] : [[place, before] as const];
  });
}

import type { ConfigProblem } from './config-error.ts';

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

  /** Takes over what was found elsewhere. */
  include(problems: readonly ConfigProblem[]): void {
    this.#found.push(...problems);
  }

  get found(): readonly ConfigProblem[] {
    return this.#found;
  }
}

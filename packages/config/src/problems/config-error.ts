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

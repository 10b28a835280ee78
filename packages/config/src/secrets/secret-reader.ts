import { nearest } from '../problems/nearest.ts';
import type { Path, ProblemList } from '../problems/problem-list.ts';
import type { SecretSource } from './secret-source.ts';
import { Secret } from './secret.ts';

/** The outside that secrets are read from; both are given, nothing is read behind the caller's back. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: (path: string) => string;
}

// Somebody may have put the secret itself where its place belongs: only what plainly is a name or a path is repeated in a message.
const isPlainName = (name: string) => /^[A-Z][A-Z0-9_]*$/.test(name);
const printableName = (name: string) => (isPlainName(name) ? name : 'variable of that name');
const printableFile = (path: string) => (/^\.{0,2}\//.test(path) ? path : 'of that name');

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? ` (${code})` : '';
}

/**
 * Secrets that a process may need: the API keys of the libraries' Kohas, what signs their events, passwords of the dashboard, and what
 * operators are notified with.
 */
export const SECRET_KINDS = ['koha', 'webhook', 'user', 'notify'] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** Reads secrets from the environment and from files, and reports the ones that are not there. */
export class SecretReader {
  readonly #surroundings: Surroundings;
  readonly #problems: ProblemList;

  readonly #wanted: readonly SecretKind[];

  /** `wanted`: the kinds that are read; of others the process neither needs nor learns the value. */
  constructor(surroundings: Surroundings, problems: ProblemList, wanted: readonly SecretKind[] = []) {
    this.#surroundings = surroundings;
    this.#problems = problems;
    this.#wanted = wanted;
  }

  wants(kind: SecretKind): boolean {
    return this.#wanted.includes(kind);
  }

  /**
   * The secret that the file's `{env: NAME}` or `{file: PATH}` at `at` stands for; null after a problem was reported. One
   * of a kind that is not wanted is empty.
   */
  read(kind: SecretKind, source: SecretSource, at: Path): Secret<string> | null {
    if (!this.wants(kind))
      return new Secret('', 'file' in source ? `file ${source.file}` : `env ${source.env}`);
    if ('file' in source) return this.#readFile(source.file, at, '');
    const { env } = this.#surroundings;
    const found = this.variable(source.env, at);
    if (found === undefined) {
      const meant = isPlainName(source.env) ? nearest(source.env, Object.keys(env)) : null;
      const hint = meant === null ? '' : `, did you mean ${meant}?`;
      const what = `the environment has no ${printableName(source.env)}`;
      const other = isPlainName(source.env) ? `${source.env}_FILE` : 'NAME_FILE';
      this.#problems.add(at, `${what}${hint}`, `set it, or ${other} to the path of a file that holds it`);
    }
    return found ?? null;
  }

  /** The value of `name`, or of the file that `name_FILE` names; undefined when neither is set, null after a problem. */
  variable(name: string, at: Path): Secret<string> | null | undefined {
    const { env } = this.#surroundings;
    const value = env[name] === '' ? undefined : env[name];
    const path = env[`${name}_FILE`] === '' ? undefined : env[`${name}_FILE`];
    if (value !== undefined && path !== undefined) {
      this.#problems.add(at, `${printableName(name)} and its _FILE are both set`, 'set one of them');
      return null;
    }
    if (path !== undefined) return this.#readFile(path, at, ` (${name}_FILE)`);
    return value === undefined ? undefined : this.#box(value, `env ${name}`, at);
  }

  #readFile(path: string, at: Path, via: string): Secret<string> | null {
    try {
      return this.#box(this.#surroundings.readFile(path).replace(/\r?\n$/, ''), `file ${path}${via}`, at);
    } catch (error) {
      const what = `the file ${printableFile(path)}${via} cannot be read${codeOf(error)}`;
      this.#problems.add(at, what, 'the path of a file that this process may read');
      return null;
    }
  }

  #box(value: string, source: string, at: Path): Secret<string> | null {
    if (value !== '' && value === value.trim()) return new Secret(value, source);
    this.#problems.add(
      at,
      value === '' ? 'is empty' : 'has blanks or line ends around it',
      'the bare secret',
    );
    return null;
  }
}

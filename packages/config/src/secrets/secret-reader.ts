import { didYouMean } from '../problems/nearest.ts';
import type { Path, ProblemList } from '../problems/config-error.ts';
import { Secret, type SecretKind, type UnreadSecret } from './secret.ts';

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

  /**
   * The secret that the file's `{env: NAME}` or `{file: PATH}` at `at` stands for. It stays empty where its kind is not wanted, and
   * after a problem was reported.
   */
  read(unread: UnreadSecret, at: Path): Secret<string> {
    const { kind, place } = unread;
    if (!this.#wanted.includes(kind)) return unread;
    if ('file' in place) return this.#readFile(place.file, at, '') ?? unread;
    const { env } = this.#surroundings;
    const found = this.variable(place.env, at);
    if (found === undefined) {
      const hint = isPlainName(place.env) ? didYouMean(place.env, Object.keys(env)) : '';
      const what = `the environment has no ${printableName(place.env)}`;
      const other = isPlainName(place.env) ? `${place.env}_FILE` : 'NAME_FILE';
      this.#problems.add(at, `${what}${hint}`, `set it, or ${other} to the path of a file that holds it`);
    }
    return found ?? unread;
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
    const what = value === '' ? 'is empty' : 'has blanks or line ends around it';
    this.#problems.add(at, what, 'the bare secret');
    return null;
  }
}

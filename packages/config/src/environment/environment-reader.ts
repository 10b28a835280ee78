import { type Variable, VARIABLES } from './environment-variables.ts';
import { nearest } from '../problems/nearest.ts';
import type { ProblemList } from '../problems/config-error.ts';
import { Secret } from '../secrets/secret.ts';
import { type Surroundings, SecretReader } from '../secrets/secret-reader.ts';

const KNOWN = Object.values(VARIABLES).map(({ name }) => name);

/** Reads environment variables one by one and reports all that is wrong with them, without their values. */
export class EnvironmentReader {
  readonly problems: ProblemList;
  readonly #env: NodeJS.ProcessEnv;
  readonly #secrets: SecretReader;

  constructor(surroundings: Surroundings, problems: ProblemList) {
    this.problems = problems;
    this.#env = surroundings.env;
    this.#secrets = new SecretReader(surroundings, problems);
  }

  /** The value of a variable that must be there (it has a fallback, or is required); null after a problem was reported. */
  required<T>(variable: Variable<T>): Secret<T> | null {
    const text = this.#secrets.variable(variable.name, [variable.name]);
    if (text !== undefined) return text === null ? null : this.#parse(variable, text);
    if (variable.fallback !== null) return this.#parse(variable, new Secret(variable.fallback, 'default'));
    const taken = [...KNOWN, ...KNOWN.map((name) => `${name}_FILE`)];
    const others = Object.keys(this.#env).filter((name) => !taken.includes(name));
    const slip = nearest(variable.name, others);
    const hint = slip === null ? '' : `; the environment has ${slip}, was that meant?`;
    this.problems.add([variable.name], `is missing${hint}`, `${variable.allowed}; or ${variable.name}_FILE`);
    return null;
  }

  /** The same for a variable that may be left out, and is null then. */
  optional<T>(variable: Variable<T>): Secret<T> | null {
    return this.isSet(variable) ? this.required(variable) : null;
  }

  /** Whether a variable is given, in either way. */
  isSet({ name }: Variable<unknown>): boolean {
    return [name, `${name}_FILE`].some((key) => (this.#env[key] ?? '') !== '');
  }

  /** A value that is no secret; its fallback after a problem was reported. */
  plain<T>(variable: Variable<T, string>): T {
    return this.required(variable)?.reveal() ?? variable.schema.parse(variable.fallback);
  }

  #parse<T>({ name, schema, allowed }: Variable<T>, text: Secret<string>): Secret<T> | null {
    const result = schema.safeParse(text.reveal());
    if (result.success) return new Secret(result.data, text.source);
    for (const { message } of result.error.issues) this.problems.add([name], message, allowed);
    return null;
  }
}

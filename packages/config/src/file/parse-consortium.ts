import { agreeAll, readAgreementList } from './read-agreements.ts';
import { ConfigError, type ConfigProblem, ProblemList, repeats } from '../problems/config-error.ts';
import { reportNoLibrary } from '../problems/nearest.ts';
import { type Consortium, endpointSchema, fileSchema, userSchema } from '../schema/consortium-schema.ts';
import { deepFreeze } from '../keys/frozen.ts';
import { defaultsSchema, librarySchema } from '../schema/library-schema.ts';
import { type Surroundings, SecretReader } from '../secrets/secret-reader.ts';
import type { SecretKind } from '../secrets/secret.ts';
import { checkLibraries } from './check-libraries.ts';
import { builtInLayer, mergeLayers, readEntry, readLayer, type Reading } from './read-section.ts';
import { readYaml } from './yaml-file.ts';

/** Reads the entries of `users` or `notify`: each has a name of its own, and may be of some libraries only. */
function readNamed<S extends typeof userSchema | typeof endpointSchema>(
  list: 'users' | 'notify',
  schema: S,
  raws: readonly unknown[],
  ids: readonly string[],
  reading: Reading,
) {
  const { problems } = reading;
  const entries = raws.map((raw, place) => {
    const entry = readEntry<S>(schema, raw, [list, place], reading);
    for (const [index, id] of entry.libraries === 'all' ? [] : entry.libraries.entries()) {
      if (!ids.includes(id)) reportNoLibrary(id, ids, [list, place, 'libraries', index], problems);
    }
    return entry;
  });
  for (const [place, first] of repeats(entries.map(({ name }) => name))) {
    problems.add([list, place, 'name'], `is the same as ${list}[${first}].name`, 'a name of its own');
  }
  return entries;
}

function readFileKeys(raw: unknown, reading: Reading) {
  const { name, locate, retention, agreements, ...keys } = readEntry(fileSchema, raw, [], reading);
  const layers = [
    builtInLayer(librarySchema),
    readLayer(defaultsSchema, keys.defaults, ['defaults'], reading.problems),
  ];
  const drafts = keys.libraries.map((entry, place) => {
    const at = ['libraries', place];
    const own = readLayer(librarySchema, entry, at, reading.problems);
    return { at, library: mergeLayers(librarySchema, [...layers, own], at, reading) };
  });
  checkLibraries(drafts, reading.problems);
  const libraries = drafts.map(({ library }) => library);
  const ids = libraries.map(({ id }) => id);
  return {
    name,
    locate,
    retention,
    public: keys.public,
    libraries,
    agreements: agreements === 'all' ? agreeAll(drafts) : readAgreementList(agreements, drafts, reading),
    users: readNamed('users', userSchema, keys.users, ids, reading),
    notify: readNamed('notify', endpointSchema, keys.notify, ids, reading),
  };
}

/**
 * Reads a consortium, with the secrets that are `wanted`, and everything that is wrong with it: then the consortium is not to be used.
 * Throws nothing.
 */
export function readConsortium(
  yamlText: string,
  surroundings: Surroundings,
  wanted: readonly SecretKind[],
): { readonly consortium: Consortium; readonly problems: readonly ConfigProblem[] } {
  const { raw, problems } = readYaml(yamlText);
  const found = raw === undefined ? new ProblemList() : problems;
  const secrets = new SecretReader(surroundings, found, wanted);
  const consortium = readFileKeys(raw, { problems: found, secrets });
  return { consortium: deepFreeze(consortium), problems: problems.found };
}

/** Where an entry of `libraries` says its id, in a text of which nothing more can be read. */
const ID_LINE = /^[\s-]*\{?\s*["']?id["']?:\s*["']?([\w-]+)/gm;

/**
 * What can be read of a file that somebody has not finished: each key that is right, and the default for any other; of a text that is not
 * YAML the ids of its libraries. Good for work that only has to know which libraries there are. Holds no secrets; throws nothing.
 */
export function readUnfinished(yamlText: string): Consortium {
  const read = (raw: unknown): Consortium => {
    const problems = new ProblemList();
    const nothing = { env: {}, readFile: () => '' };
    const consortium = readFileKeys(raw, { problems, secrets: new SecretReader(nothing, problems) });
    const libraries = consortium.libraries.filter(({ id }) => id !== '');
    return deepFreeze({
      ...consortium,
      libraries: libraries.map((library) => ({ ...library, name: library.name || library.id })),
    });
  };
  const known = read(readYaml(yamlText).raw);
  if (known.libraries.length > 0) return known;
  const ids = new Set(Array.from(yamlText.matchAll(ID_LINE), ([, id]) => id));
  return read({ libraries: [...ids].map((id) => ({ id })) });
}

/**
 * The consortium that a configuration file describes, with its secrets read, checked and deeply frozen. Throws one ConfigError with
 * every problem. `env` and `readFile` are all it sees of the outside.
 */
export function parseConsortium(
  yamlText: string,
  env: NodeJS.ProcessEnv,
  readFile: (path: string) => string,
): Consortium {
  const { consortium, problems } = readConsortium(yamlText, { env, readFile }, ['koha', 'webhook', 'notify']);
  if (problems.length > 0) throw new ConfigError(problems);
  return consortium;
}

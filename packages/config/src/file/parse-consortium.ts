import { BUILT_IN_DEFAULTS } from './built-in-defaults.ts';
import { checkLibraries } from './check-libraries.ts';
import { ConfigError, type ConfigProblem } from '../problems/config-error.ts';
import { deepFreeze } from './deep-freeze.ts';
import { DEFAULTED_SECTIONS, fileSchema } from './file-schema.ts';
import { locateSection, retentionSection } from './root-sections.ts';
import { readSectionLayer } from './library-layers.ts';
import type { Consortium } from './model.ts';
import { ProblemList } from '../problems/problem-list.ts';
import { agreeAll, readAgreementList } from '../agreements/read-agreements.ts';
import { readNotify } from './read-notify.ts';
import { readLibrary } from './read-library.ts';
import { isMapping, readSection, reportMissing } from './read-section.ts';
import { readUsers } from './read-users.ts';
import { type SecretKind, type Surroundings, SecretReader } from '../secrets/secret-reader.ts';
import { openYaml } from './yaml-file.ts';
import { reportUnknownKeys } from '../problems/zod-problems.ts';

const BUILT_IN = {
  locate: locateSection.parse(BUILT_IN_DEFAULTS.locate),
  retention: retentionSection.parse(BUILT_IN_DEFAULTS.retention),
};

/** What reading the file came to: the consortium, and every problem (then the consortium is not to be used). */
export interface ConsortiumReading {
  readonly consortium: Consortium;
  readonly problems: readonly ConfigProblem[];
}

function readDefaults(raw: unknown, problems: ProblemList) {
  const known = Object.keys(DEFAULTED_SECTIONS);
  if (isMapping(raw)) {
    const unknown = Object.keys(raw).filter((key) => !known.includes(key));
    reportUnknownKeys(unknown, known, ['defaults'], problems);
  } else if (raw !== undefined && raw !== null) {
    problems.add(['defaults'], 'must be a mapping of sections', `known here: ${known.join(', ')}`);
  }
  return { raw, layer: readSectionLayer(raw, ['defaults'], problems) };
}

function readFileKeys(raw: unknown, secrets: SecretReader, problems: ProblemList): Consortium {
  const keys = readSection(fileSchema, raw, [], problems);
  reportMissing(raw, ['consortium', 'libraries', 'agreements'], fileSchema, [], problems);
  const defaults = readDefaults(keys.defaults, problems);
  const drafts = (keys.libraries ?? []).map((library, place) =>
    readLibrary(library, defaults, { at: ['libraries', place], problems, secrets }),
  );
  checkLibraries(drafts, problems);
  const ids = drafts.map(({ library }) => library.id);
  const locate = { ...BUILT_IN.locate, ...readSection(locateSection, keys.locate, ['locate'], problems) };
  const retention = {
    ...BUILT_IN.retention,
    ...readSection(retentionSection, keys.retention, ['retention'], problems),
  };
  return {
    name: keys.consortium ?? '',
    locate: { strict: locate.strict, patternsDecide: locate.patterns_decide },
    retention: {
      finishedMs: retention.finished,
      failedMs: retention.failed,
      receiptsMs: retention.receipts,
      auditMs: retention.audit,
    },
    libraries: drafts.map(({ library }) => library),
    agreements:
      keys.agreements === 'all'
        ? agreeAll(drafts)
        : readAgreementList(keys.agreements ?? [], drafts, problems),
    users: readUsers(keys.users ?? [], { ids, problems, secrets }),
    notify: readNotify(keys.notify ?? [], { ids, problems, secrets }),
  };
}

/** Reads a consortium, with the secrets that are `wanted`, and everything that is wrong with it; throws nothing. */
export function readConsortium(
  yamlText: string,
  surroundings: Surroundings,
  wanted: readonly SecretKind[],
): ConsortiumReading {
  const yaml = openYaml(yamlText);
  const problems = new ProblemList(yaml.lineOf);
  const { raw, readable } = yaml.read(problems);
  const found = readable ? problems : new ProblemList();
  const consortium = readFileKeys(readable ? raw : {}, new SecretReader(surroundings, found, wanted), found);
  return { consortium: deepFreeze(consortium), problems: problems.found };
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

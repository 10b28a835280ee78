import { stringify } from 'yaml';
import { type ConfigProblem, ConfigError, parseConsortium } from '../src/index.ts';

/** A part of a file that a test changes: mappings all the way down. */
export interface Draft {
  [key: string]: unknown;
}

const webhookSecret = (letter: string) =>
  `whsec_${Buffer.from(`${letter}1-2_3.4`.repeat(4)).toString('base64')}`;

/** An environment in which `validFile` is right. */
export const validEnvironment = (): NodeJS.ProcessEnv => ({
  MIDLAND_CLIENT_ID: '6c1d-midland',
  MIDLAND_CLIENT_SECRET: 'mid-7f3e9a-kept-out',
  MIDLAND_WEBHOOK_SECRET: webhookSecret('m'),
  RIVERSIDE_CLIENT_ID: '81aa-riverside',
  RIVERSIDE_CLIENT_SECRET: 'riv-b2094c-kept-out',
  RIVERSIDE_WEBHOOK_SECRET: webhookSecret('r'),
  LAKESIDE_CLIENT_ID: 'f00d-lakeside',
  LAKESIDE_CLIENT_SECRET: 'lak-55d1e0-kept-out',
});

function library(id: string, isLending: boolean): Draft {
  const name = id.toUpperCase();
  return {
    id,
    name: `${id} library`,
    koha: {
      url: `https://koha.${id}.example.org`,
      client_id: { env: `${name}_CLIENT_ID` },
      client_secret: { env: `${name}_CLIENT_SECRET` },
    },
    ...(isLending ? { webhook_secrets: [{ env: `${name}_WEBHOOK_SECRET` }] } : {}),
    copy: isLending ? { category: 'PT' } : {},
  };
}

/** A file that is right: midland and riverside are home and lending, lakeside is home only. */
export const validFile = (): Draft => ({
  consortium: 'Prairie Libraries',
  libraries: [library('midland', true), library('riverside', true), library('lakeside', false)],
  agreements: 'all',
});

/** The mapping at `path` of a draft. */
export function at(draft: unknown, ...path: (string | number)[]): Draft {
  const value = path.reduce<unknown>((inner, step) => Reflect.get(Object(inner), step), draft);
  if (typeof value !== 'object' || value === null) throw new Error(`no mapping at ${path.join('.')}`);
  return value as Draft;
}

/** A readFile that knows only these files. */
export const filesOf =
  (files: Readonly<Record<string, string>>) =>
  (path: string): string => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return text;
  };

export const noFiles = filesOf({});

/** Parses a draft (or YAML text) in the valid environment. */
export function parse(file: Draft | string, env: NodeJS.ProcessEnv = validEnvironment(), readFile = noFiles) {
  return parseConsortium(typeof file === 'string' ? file : stringify(file), env, readFile);
}

/** The error that `act` ends with. */
export function errorOf(act: () => unknown): ConfigError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** Everything that is wrong with a draft. */
export const problemsOf = (...input: Parameters<typeof parse>): readonly ConfigProblem[] =>
  errorOf(() => parse(...input)).problems;

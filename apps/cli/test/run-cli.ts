import { Readable } from 'node:stream';
import { formatWebhookSecret } from '@passport/contract';
import type { KohaDouble } from '@passport/koha-double';
import { runCli } from '../src/build-cli.ts';
import type { CliDeps } from '../src/program/cli-deps.ts';

/** What a person would have seen. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A receiver that takes every event, where a test starts none of its own. */
const RECEIVER = 'http://receiver.test';
const fetchWithReceiver: typeof fetch = (input, init) =>
  typeof input === 'string' && input.startsWith(RECEIVER)
    ? Promise.resolve(Response.json({ event_id: 'evt', status: 'accepted', test: true }, { status: 202 }))
    : fetch(input, init);

// A command is loaded when it is called, and what libraries look at when they are loaded (standard error is a pipe) stays
// open: all commands are loaded here, before a test begins.
await passport(['--help'], {});

/** Runs `passport` in this process, with what is typed on standard input. */
export async function passport(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { input = '', ...more }: Partial<Omit<CliDeps, 'env' | 'out' | 'err'>> & { input?: string } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  let made = 0;
  const code = await runCli(args, {
    env,
    readFile: (path) => {
      const text = env[`FILE ${path}`];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
    writeFile: () => undefined,
    changeFiles: () => undefined,
    stdin: Readable.from([input]),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTerminal: false,
    version: '1.2.3',
    user: 'tester',
    fetch: fetchWithReceiver,
    lookup: () => Promise.resolve(['192.0.2.1']),
    now: Date.now,
    newId: () => `evt_test_${(made += 1)}`,
    randomBytes: (length) => Buffer.alloc(length, (made += 1)),
    signal: new AbortController().signal,
    ...more,
  });
  return { code, out, err };
}

/** The JSON that a command printed. */
export function jsonOf({ out }: Ran): unknown {
  return JSON.parse(out) as unknown;
}

export const webhookSecretOf = (library: string): string =>
  formatWebhookSecret(Buffer.from(`webhook secret of ${library}`.padEnd(32, '.')));

/** What the cards of the doubles' seeds look like. */
const CARDS: Readonly<Record<string, string[]>> = {
  midland: ['^21234\\d{9}$'],
  riverside: ['^25678\\d{9}$'],
};

type Part = Readonly<Record<string, unknown>>;

/** The configuration of a consortium whose Kohas are doubles, as an environment; `change` is laid over each library. */
export function consortiumOf(
  doubles: readonly (Pick<KohaDouble, 'library' | 'url' | 'credentials'> & { change?: Part })[],
  more: Part = {},
): NodeJS.ProcessEnv {
  const name = (library: string, what: string): string => `${library.toUpperCase()}_${what}`;
  const file = {
    consortium: 'Test Libraries',
    defaults: { koha: { timeout: '2s' }, copy: { category: 'PT' } },
    libraries: doubles.map(({ library, url, change }) => ({
      id: library,
      name: `Library of ${library}`,
      koha: { url, client_id: { env: name(library, 'ID') }, client_secret: { env: name(library, 'SECRET') } },
      webhook_secrets: [{ env: name(library, 'WEBHOOK') }],
      cards: CARDS[library] ?? [`^${library}\\d+$`],
      ...change,
    })),
    agreements: 'all',
    ...more,
  };
  return Object.fromEntries([
    ['PASSPORT_CONFIG', 'test.yaml'],
    ['PASSPORT_RECEIVER', RECEIVER],
    ['FILE test.yaml', JSON.stringify(file, null, 2)],
    ...doubles.flatMap(({ library, credentials }) => [
      [name(library, 'ID'), credentials.clientId],
      [name(library, 'SECRET'), credentials.clientSecret],
      [name(library, 'WEBHOOK'), webhookSecretOf(library)],
    ]),
  ]) as NodeJS.ProcessEnv;
}

/** Lines that a terminal of 80 columns folds, beside those of a single word, such as an address. */
export const foldedAt80 = (out: string): readonly string[] =>
  out.split('\n').filter((line) => line.length > 80 && /\S\s+\S/.test(line));

/** A terminal of 80 columns. */
export const TERMINAL = { isTerminal: true, hasColors: false, columns: 80 } as const;

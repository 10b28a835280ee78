import { randomBytes } from 'node:crypto';
import { type KohaDouble, type Release, startKohaDouble } from '@passport/koha-double';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

export interface Ran {
  readonly applied: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly copies: readonly Readonly<Record<string, unknown>>[];
}

const IDS = ['midland', 'riverside', 'lakeside'] as const;
export type Id = (typeof IDS)[number];

/** Three Kohas with nobody in them, and the commands on them. */
export interface CopiesBench {
  readonly doubles: Readonly<Record<Id, KohaDouble>>;
  /** Runs a command with `--json`. */
  json(args: readonly string[]): Promise<Ran & { readonly code: number; readonly err: string }>;
  run(args: readonly string[]): ReturnType<typeof passport>;
  env(more?: Readonly<Record<string, unknown>>): NodeJS.ProcessEnv;
  put(at: Id, card: string, columns: object): number;
  attributesOf(at: Id, card: string): Readonly<Record<string, string | null>>;
  /** What was written to a Koha through its API since the last `clear`. */
  writes(at: Id): readonly string[];
  clear(): void;
  close(): Promise<unknown>;
}

/** Starts them; the lending Koha, riverside, in a release of its own where one is given. */
export async function startCopiesBench(release?: Release): Promise<CopiesBench> {
  const started = await Promise.all(
    IDS.map((library) =>
      startKohaDouble({
        library,
        seed: 'empty',
        ...(release !== undefined && library === 'riverside' ? { settings: { release } } : {}),
      }),
    ),
  );
  const doubles = Object.fromEntries(started.map((double) => [double.library, double])) as Record<
    Id,
    KohaDouble
  >;
  const key = randomBytes(32).toString('base64');
  const env: CopiesBench['env'] = (more = {}) => ({
    PASSPORT_KEY: key,
    REDIS_URL: 'redis://127.0.0.1:1',
    ...consortiumOf(
      started.map(({ library, url, credentials }) => ({ library, url, credentials, change: { cards: [] } })),
      more,
    ),
  });
  const run: CopiesBench['run'] = (args) => passport(args, env());
  return {
    doubles,
    env,
    run,
    async json(args) {
      const ran = await run([...args, '--json']);
      if (ran.out === '') throw new Error(ran.err);
      return { code: ran.code, err: ran.err, ...(jsonOf(ran) as Ran) };
    },
    put(at, card, columns) {
      doubles[at].putPatron(card, { surname: 'Planted-Okafor', firstname: 'Planted-Ada', ...columns });
      return Number(doubles[at].state(card).patrons[0]?.patron_id);
    },
    attributesOf(at, card) {
      const list = doubles[at].state(card).patrons[0]?.extended_attributes as
        { type: string; value: string | null }[] | undefined;
      return Object.fromEntries((list ?? []).map(({ type, value }) => [type, value]));
    },
    writes: (at) =>
      doubles[at]
        .calls()
        .filter(({ method, path }) => method !== 'GET' && !path.endsWith('/oauth/token'))
        .map(({ method }) => method),
    clear: () => started.forEach((double) => double.clearCalls()),
    close: () => Promise.all(started.map((double) => double.close())),
  };
}

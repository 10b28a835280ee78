import { randomBytes, randomUUID } from 'node:crypto';
import { type KohaDouble, type Release, startKohaDouble } from '@passport/koha-double';
import {
  type CopyRecord,
  type DisclosureReceipt,
  openReceipts,
  readCopyRecords,
  readReceipts,
} from '@passport/queue/copies';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type RedisOptions, type StartedRedis, startRedis } from '@passport/testkit';
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
  readonly redis: StartedRedis;
  /** Runs a command with `--json`. */
  json(args: readonly string[]): Promise<Ran & { readonly code: number; readonly err: string }>;
  run(args: readonly string[], more?: Parameters<typeof passport>[2]): ReturnType<typeof passport>;
  env(more?: Readonly<Record<string, unknown>>): NodeJS.ProcessEnv;
  put(at: Id, card: string, columns: object): number;
  /** Writes the receipt of a copy that was made; so it is on record. */
  disclose(at: Id, patronId: number, homeKey: string): Promise<void>;
  /** What the service's own records say of these copies. */
  recordsOf(at: Id, ...patronIds: number[]): Promise<(CopyRecord | null)[]>;
  receipts(): Promise<DisclosureReceipt[]>;
  attributesOf(at: Id, card: string): Readonly<Record<string, string | null>>;
  /** What was written to a Koha through its API since the last `clear`. */
  writes(at: Id): readonly string[];
  clear(): void;
  close(): Promise<unknown>;
}

/** Starts them; the lending Koha, riverside, in a release of its own where one is given. */
export async function startCopiesBench(
  release?: Release,
  redisOptions: RedisOptions = {},
): Promise<CopiesBench> {
  const redis = await startRedis(redisOptions);
  const log = createLogger({ name: 'test', level: 'silent' });
  const client = createRedis(redis.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(client, 5_000);
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
    REDIS_URL: redis.url,
    ...consortiumOf(
      started.map(({ library, url, credentials }) => ({ library, url, credentials, change: { cards: [] } })),
      more,
    ),
  });
  const run: CopiesBench['run'] = (args, more) =>
    passport(args, env(), { newId: () => `evt_${randomUUID()}`, ...more });
  return {
    doubles,
    redis,
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
    async disclose(lending, patronId, homeKey) {
      const at = new Date().toISOString();
      const [home = ''] = homeKey.split(':');
      const receipt = {
        at,
        home,
        lending,
        homeKey,
        fields: ['surname'],
        eventId: `scan_${patronId}`,
        patronId,
      };
      await openReceipts(client).append(receipt, Date.now(), 3_600_000);
    },
    async recordsOf(at, ...patronIds) {
      const records = await readCopyRecords(client, at, patronIds);
      return patronIds.map((id) => records.get(id) ?? null);
    },
    async receipts() {
      await untilRedisReady(client, 5_000);
      const all: DisclosureReceipt[] = [];
      for await (const receipt of readReceipts(client)) all.push(receipt);
      return all;
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
    async close() {
      await closeRedis(client);
      await Promise.all([redis.stop(), ...started.map((double) => double.close())]);
    },
  };
}

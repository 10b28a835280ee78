import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatWebhookSecret } from '@passport/contract';
import {
  buildScanEvent,
  makeTestCertificate,
  signedRequest,
  startRedis,
  startServices,
  type ConsortiumKeys,
  type RedisOptions,
  type RunningService,
  type ServedLibrary,
  type Services,
  type StartedRedis,
} from '@passport/testkit';
import { preciseNow } from './figures.ts';
import { startFarProxy } from './front.ts';
import { createWarmClient } from './koha-floor.ts';
import { barcodeOf, cardOf, type FrontPlan, type KohaPlan, type StartedKoha } from './kohas-protocol.ts';
import { NotHere } from './scenario.ts';
import { startKohas, type Kohas } from './start-kohas.ts';

/** Of deploy/docker/make-keys.mjs: what decides how much memory a job takes. */
const SHIPPED_REDIS = ['--hash-max-listpack-value', '4096'];

/** Of cards whose library does not matter, and of the home library where there is one only. */
export const PREFIX = '21234';

export interface StackOptions {
  readonly plan: Omit<KohaPlan, 'front'>;
  /** What stands before each Koha; `tls` gets a certificate made here. */
  readonly front?: Partial<Omit<FrontPlan, 'tls'>> & { readonly tls?: boolean };
  /** The libraries of the configuration; those that report scans sign them with `secretOf` their id. */
  readonly serve: (
    kohas: readonly StartedKoha[],
    secretOf: (library: string) => string,
  ) => readonly ServedLibrary[];
  readonly keys?: ConsortiumKeys;
  readonly receivers?: number;
  readonly workers?: number;
  readonly redis?: RedisOptions;
  /** How far away Redis is; 0: beside the processes. */
  readonly redisRoundTripMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** How often a starting process is checked for readiness. */
  readonly probeEveryMs?: number;
}

type Data = Readonly<Record<string, unknown>>;

/** Redis, the stand-ins and the built processes, as they ship. */
export interface Stack {
  readonly redis: StartedRedis;
  /** Where the processes reach Redis. */
  readonly redisPort: number;
  readonly kohas: Kohas;
  readonly services: Services;
  /** The only ones, or the first. Throws where none was started. */
  readonly receiver: RunningService;
  readonly worker: RunningService;
  /** What a library signs its events with. */
  secretOf(library: string): string;
  /** Signs and sends a scan over a warm connection; `sentAt` is when its first byte could have gone. Throws where it is not taken. */
  scan(data: Data, library?: string): Promise<{ id: string; sentAt: number }>;
  /** Milliseconds from the signed POST until the lending Koha has answered our report, checkout included. */
  timeScan(data: Data, library?: string): Promise<number>;
  stop(): Promise<void>;
}

/** A scan of the n-th card of a library, with the n-th item. */
export const scanOf = (index: number, prefix = PREFIX, item = index): Data => ({
  cardnumber: cardOf(prefix, index),
  item_barcode: barcodeOf(item),
});

/** Starts a stack and returns when all of it is ready. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const front = options.front && (await completeFront(options.front, closers));
    const redis = await startRedis({ ...(options.redis ?? { appendonly: true }), args: SHIPPED_REDIS });
    closers.push(() => redis.stop());
    const kohas = await startKohas({ ...options.plan, ...(front && { front: front.plan }) });
    closers.push(() => kohas.stop());
    const { redisRoundTripMs = 0, serve, receivers = 1, workers = 1, keys, probeEveryMs } = options;
    const far = redisRoundTripMs === 0 ? null : await startFarProxy(redis.port, redisRoundTripMs);
    closers.push(() => far?.close());
    const redisPort = far?.port ?? redis.port;
    const secretOf = buildSecrets();
    const services = await startServices({
      redisUrl: redis.url.replace(`:${redis.port}`, `:${redisPort}`),
      libraries: serve(kohas.kohas, secretOf),
      receivers,
      workers,
      ...(keys && { keys }),
      ...(probeEveryMs !== undefined && { probeEveryMs }),
      env: { ...front?.env, ...options.env },
    });
    closers.push(() => services.stop());
    const client = createWarmClient(services.receivers[0]?.url ?? 'http://127.0.0.1');
    closers.push(() => client.close());
    const scan: Stack['scan'] = async (data, library = LENDING) => {
      const { headers, body, id } = signedRequest({ secret: secretOf(library), body: buildScanEvent(data) });
      const sentAt = preciseNow();
      const { status } = await client.call('POST', `/webhooks/${library}`, headers, body);
      if (status !== 202) throw new Error(`a scan was answered with ${status}`);
      return { id, sentAt };
    };
    return {
      redis,
      redisPort,
      kohas,
      services,
      get receiver() {
        return firstOf(services.receivers);
      },
      get worker() {
        return firstOf(services.workers);
      },
      secretOf,
      scan,
      async timeScan(data, library) {
        const { id, sentAt } = await scan(data, library);
        return (await kohas.ended(id)).at - sentAt;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function firstOf<Thing>(things: readonly Thing[]): Thing {
  const [first] = things;
  if (first === undefined) throw new Error('nothing of the kind was started');
  return first;
}

function buildSecrets(): (library: string) => string {
  const secrets = new Map<string, string>();
  return (library) => {
    const secret = secrets.get(library) ?? formatWebhookSecret(randomBytes(32));
    secrets.set(library, secret);
    return secret;
  };
}

async function completeFront(
  { webWorkers = null, serviceMs = 0, roundTripMs = 0, tls = false }: NonNullable<StackOptions['front']>,
  closers: (() => unknown)[],
): Promise<{ readonly plan: FrontPlan; readonly env: Readonly<Record<string, string>> }> {
  const plan = { webWorkers, serviceMs, roundTripMs };
  if (!tls) return { plan: { ...plan, tls: null }, env: {} };
  const dir = await mkdtemp(join(tmpdir(), 'passport-bench-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const { certFile, keyFile } = await makeTestCertificate(dir).catch(() => {
    throw new NotHere('openssl is not on this machine');
  });
  const [key, cert] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certFile, 'utf8')]);
  return { plan: { ...plan, tls: { key, cert } }, env: { NODE_EXTRA_CA_CERTS: certFile } };
}

/** The library at whose desk everything is scanned. */
export const LENDING = 'lending';

/** Volume limits of one library that no measure reaches: they are there to stop what a throughput measure does. */
export const NO_LIMITS = {
  events_per_second: 100_000,
  burst: 1_000_000,
  backlog: 2_000_000,
  copies_per_hour: 10_000_000,
  misses_per_hour: 10_000_000,
  verdicts_per_hour: 10_000_000,
  kept_finished: 1_000_000,
  remembered: 1_000_000,
};

interface BenchOptions extends Omit<StackOptions, 'plan' | 'serve' | 'keys'> {
  readonly latencyMs?: number;
  /** How many patrons `home` has, and how many items the lending library. */
  readonly scans: number;
  /** Home libraries instead of that one, with how many patrons each. */
  readonly homes?: readonly { readonly id: string; readonly prefix: string; readonly patrons: number }[];
  /** Whether staff pages of the lending library have the plugin's script. */
  readonly hasDesk?: boolean;
  /** Whether a home is queried for its own cards only; true. */
  readonly hasPatterns?: boolean;
  /** Whether the end of each event can be waited for (`Kohas.ended`); true. */
  readonly isWatched?: boolean;
  /** Whether volume limits are out of the way ({@link NO_LIMITS}). */
  readonly hasNoLimits?: boolean;
  readonly retention?: Readonly<Record<string, string>>;
  /** More keys of every library's `retry`. */
  readonly retry?: Readonly<Record<string, unknown>>;
}

/** Starts a stack with one lending library, which the work gets and which ends with it. */
export async function withBench<Result>(
  options: BenchOptions,
  work: (bench: Stack) => Promise<Result>,
): Promise<Result> {
  const bench = await startBench(options);
  try {
    return await work(bench);
  } finally {
    await bench.stop();
  }
}

/** The same for work that ends it itself. */
export function startBench({
  latencyMs = 0,
  scans,
  isWatched = true,
  ...options
}: BenchOptions): Promise<Stack> {
  const { hasPatterns = true, hasNoLimits = false, hasDesk = false, retention, retry, ...others } = options;
  const homes = options.homes ?? [{ id: 'home', prefix: PREFIX, patrons: scans }];
  return startStack({
    ...others,
    plan: {
      latencyMs,
      isWatched,
      libraries: [
        { id: LENDING, prefix: '99999', patrons: 0, items: scans, hasDesk },
        ...homes.map((home) => ({ ...home, items: 0 })),
      ],
    },
    serve: (kohas, secretOf) =>
      kohas.map((koha) => serveKoha(koha, koha.id === LENDING ? secretOf(LENDING) : null, hasPatterns)),
    keys: {
      agreements: homes.map(({ id }) => ({ home: id, lending: LENDING })),
      ...(retention && { retention }),
      defaults: {
        copy: { category: 'PT' },
        ...(hasNoLimits && { limits: NO_LIMITS }),
        ...(retry && { retry }),
      },
    },
  });
}

/** A home and a lending library, which nobody else uses. */
export interface Pair {
  readonly home: string;
  readonly lending: string;
  readonly prefix: string;
}

/** Starts a stack of so many pairs, each with patrons and items for so many scans. */
export async function startPairs(
  count: number,
  scans: number,
  options: Pick<StackOptions, 'front' | 'workers' | 'env'> & {
    readonly latencyMs: number;
    readonly limits?: object;
  },
): Promise<Stack & { readonly pairs: readonly Pair[] }> {
  const { latencyMs, limits, ...others } = options;
  const pairs = Array.from({ length: count }, (_, place) => ({
    home: `home-${place}`,
    lending: `lending-${place}`,
    prefix: String(21_000 + place),
  }));
  const stack = await startStack({
    ...others,
    plan: {
      latencyMs,
      isWatched: true,
      libraries: pairs.flatMap(({ home, lending, prefix }, place) => [
        { id: home, prefix, patrons: scans, items: 0 },
        { id: lending, prefix: String(91_000 + place), patrons: 0, items: scans },
      ]),
    },
    serve: (kohas, secretOf) =>
      kohas.map((koha) => serveKoha(koha, koha.id.startsWith('lending') ? secretOf(koha.id) : null)),
    keys: {
      agreements: pairs.map(({ home, lending }) => ({ home, lending })),
      defaults: { copy: { category: 'PT' }, ...(limits && { limits }) },
    },
  });
  return Object.assign(stack, { pairs });
}

/** A library of the configuration that is served by one stand-in. */
export function serveKoha(
  { id, prefix, url: kohaUrl, clientId, clientSecret }: StartedKoha,
  webhookSecret: string | null,
  hasPatterns = true,
): ServedLibrary {
  const cards = hasPatterns ? [`^${prefix}\\d{9}$`] : [];
  return { id, kohaUrl, clientId, clientSecret, webhookSecret, cards };
}

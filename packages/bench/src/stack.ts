import { randomBytes } from 'node:crypto';
import { formatWebhookSecret } from '@passport/contract';
import {
  buildScanEvent,
  signedRequest,
  startRedis,
  startServices,
  type ConsortiumKeys,
  type RunningService,
  type ServedLibrary,
  type Services,
  type StartedRedis,
} from '@passport/testkit';
import { preciseNow } from './figures.ts';
import { createWarmClient } from './floor.ts';
import { barcodeOf, cardOf, type FrontPlan, type LibraryPlan, type StartedKoha } from './kohas-protocol.ts';
import { startKohas, type Kohas } from './start-kohas.ts';

/** Of deploy/docker/make-keys.mjs: what decides how much memory a job takes. */
const SHIPPED_REDIS = { appendonly: true, args: ['--hash-max-listpack-value', '4096'] };

/** Of cards whose library does not matter, and of the home library where there is one only. */
export const PREFIX = '21234';

/** The library at whose desk everything is scanned. */
export const LENDING = 'lending';

interface StackOptions {
  /** The stand-ins. */
  readonly libraries: readonly LibraryPlan[];
  /** The libraries of the configuration; those that report scans sign them with `secretOf` their id. */
  readonly serve: (
    kohas: readonly StartedKoha[],
    secretOf: (library: string) => string,
  ) => readonly ServedLibrary[];
  /** After how long stand-ins answer; at once. */
  readonly latencyMs?: number;
  /** Whether the end of each event can be waited for (`Kohas.ended`); true. */
  readonly isWatched?: boolean;
  /** What stands before each Koha. */
  readonly front?: FrontPlan;
  readonly keys?: ConsortiumKeys;
  readonly workers?: number;
}

type Data = Readonly<Record<string, unknown>>;

/** Redis, the stand-ins and the built processes, as they ship. */
export interface Stack {
  readonly redis: StartedRedis;
  readonly kohas: Kohas;
  readonly services: Services;
  readonly receiver: RunningService;
  /** The only one. Throws where none was started. */
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
export async function startStack({
  libraries,
  serve,
  latencyMs = 0,
  isWatched = true,
  front,
  keys,
  workers = 1,
}: StackOptions): Promise<Stack> {
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const redis = await startRedis(SHIPPED_REDIS);
    closers.push(() => redis.stop());
    const kohas = await startKohas({ latencyMs, isWatched, libraries, ...(front && { front }) });
    closers.push(() => kohas.stop());
    const secrets = new Map<string, string>();
    const secretOf = (library: string): string => {
      const secret = secrets.get(library) ?? formatWebhookSecret(randomBytes(32));
      secrets.set(library, secret);
      return secret;
    };
    const services = await startServices({
      redisUrl: redis.url,
      libraries: serve(kohas.kohas, secretOf),
      workers,
      ...(keys && { keys }),
    });
    closers.push(() => services.stop());
    const receiver = firstOf(services.receivers);
    const client = createWarmClient(receiver.url);
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
      kohas,
      services,
      receiver,
      get worker() {
        return firstOf(services.workers);
      },
      secretOf,
      scan,
      async timeScan(data, library) {
        const { id, sentAt } = await scan(data, library);
        return (await kohas.ended(id)) - sentAt;
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

/** Volume limits of one library that no measure reaches: they are there to stop what a throughput measure does. */
const NO_LIMITS = {
  events_per_second: 100_000,
  burst: 1_000_000,
  backlog: 2_000_000,
  copies_per_hour: 10_000_000,
  misses_per_hour: 10_000_000,
  verdicts_per_hour: 10_000_000,
  kept_finished: 1_000_000,
  remembered: 1_000_000,
};

interface BenchOptions extends Omit<StackOptions, 'libraries' | 'serve' | 'keys'> {
  /** How many patrons `home` has, and how many items the lending library. */
  readonly scans: number;
  /** Home libraries instead of that one, with how many patrons each. */
  readonly homes?: readonly { readonly id: string; readonly prefix: string; readonly patrons: number }[];
  /** Whether staff pages of the lending library have the plugin's script. */
  readonly hasDesk?: boolean;
  /** Whether a home is queried for its own cards only; true. */
  readonly hasPatterns?: boolean;
  /** Whether volume limits are out of the way ({@link NO_LIMITS}). */
  readonly hasNoLimits?: boolean;
}

/** Starts a stack with one lending library, which the work gets and which ends with it. */
export async function withBench<Result>(
  { scans, hasDesk = false, hasPatterns = true, hasNoLimits = false, homes, ...others }: BenchOptions,
  work: (bench: Stack) => Promise<Result>,
): Promise<Result> {
  const served = homes ?? [{ id: 'home', prefix: PREFIX, patrons: scans }];
  const bench = await startStack({
    ...others,
    libraries: [
      { id: LENDING, prefix: '99999', patrons: 0, items: scans, hasDesk },
      ...served.map((home) => ({ ...home, items: 0 })),
    ],
    serve: (kohas, secretOf) =>
      kohas.map((koha) => serveKoha(koha, koha.id === LENDING ? secretOf(LENDING) : null, hasPatterns)),
    keys: {
      agreements: served.map(({ id }) => ({ home: id, lending: LENDING })),
      defaults: { copy: { category: 'PT' }, ...(hasNoLimits && { limits: NO_LIMITS }) },
    },
  });
  try {
    return await work(bench);
  } finally {
    await bench.stop();
  }
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

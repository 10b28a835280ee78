import { randomBytes } from 'node:crypto';
import { formatWebhookSecret } from '@passport/contract';
import { buildScanEvent, signedRequest, startRedis, startServices } from '@passport/testkit';
import type { RedisOptions, ServedLibrary, Services, StartedRedis } from '@passport/testkit';
import { preciseNow } from './clock.ts';
import { createWarmClient } from './warm-client.ts';
import type { KohaPlan } from './kohas-protocol.ts';
import { startKohas } from './start-kohas.ts';
import type { Kohas } from './start-kohas.ts';

/** The library at whose desk everything is scanned. */
export const LENDING = 'lending';

export interface BenchOptions {
  readonly latencyMs: number;
  /** Home libraries, with how many patrons each. */
  readonly homes: readonly { readonly id: string; readonly prefix: string; readonly patrons: number }[];
  readonly items?: number;
  /** Whether a home is asked for its own cards only. */
  readonly hasPatterns?: boolean;
  /** Whether the end of each event can be waited for (`Kohas.ended`). */
  readonly isWatched?: boolean;
  readonly receivers?: number;
  readonly workers?: number;
  readonly redis?: RedisOptions;
  /** Calls to one Koha at the same time, per worker. */
  readonly maxInFlight?: number;
  readonly retention?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** More keys of every library's `retry`. */
  readonly retry?: Readonly<Record<string, unknown>>;
}

export interface Bench {
  readonly redis: StartedRedis;
  readonly kohas: Kohas;
  readonly services: Services;
  readonly secret: string;
  /** Signs and sends a scan over a warm connection; `sentAt` is when its first byte could have gone. */
  scan(data: Readonly<Record<string, unknown>>): Promise<{ id: string; sentAt: number; status: number }>;
  stop(): Promise<void>;
}

/** Starts Redis, the stand-ins and the built processes, with every limit out of the way. */
export async function startBench(options: BenchOptions): Promise<Bench> {
  const redis = await startRedis(options.redis ?? { appendonly: true });
  const kohas = await startKohas(planOf(options));
  const secret = formatWebhookSecret(randomBytes(32));
  const services = await startServices({
    redisUrl: redis.url,
    libraries: kohas.kohas.map((koha) => serve(koha, secret, options)),
    receivers: options.receivers ?? 1,
    workers: options.workers ?? 1,
    keys: {
      agreements: options.homes.map(({ id }) => ({ home: id, lending: LENDING })),
      retention: { finished: '24h', ...options.retention },
      defaults: {
        limits: {
          events_per_second: 100_000,
          burst: 1_000_000,
          backlog: 2_000_000,
          copies_per_hour: 10_000_000,
          misses_per_hour: 10_000_000,
          verdicts_per_hour: 10_000_000,
        },
        retry: { checkout_within: '1h', give_up_after: '6h', ...options.retry },
      },
    },
    env: { LOG_LEVEL: 'warn', ...options.env },
  });
  const client = createWarmClient(services.receivers[0]?.url ?? '');
  return {
    redis,
    kohas,
    services,
    secret,
    async scan(data) {
      const { headers, body, id } = signedRequest({ secret, body: buildScanEvent(data) });
      const sentAt = preciseNow();
      const { status } = await client.call('POST', `/webhooks/${LENDING}`, headers, body);
      return { id, sentAt, status };
    },
    async stop() {
      client.close();
      await services.stop();
      kohas.stop();
      await redis.stop();
    },
  };
}

function planOf(options: BenchOptions): KohaPlan {
  return {
    latencyMs: options.latencyMs,
    isWatched: options.isWatched ?? false,
    libraries: [
      { id: LENDING, prefix: '99999', patrons: 0, items: options.items ?? 0 },
      ...options.homes.map((home) => ({ ...home, items: 0 })),
    ],
  };
}

function serve(
  koha: Kohas['kohas'][number],
  secret: string,
  { hasPatterns = true, maxInFlight = 200 }: BenchOptions,
): ServedLibrary {
  const { id, prefix, url: kohaUrl, clientId, clientSecret } = koha;
  const isLending = id === LENDING;
  return {
    id,
    kohaUrl,
    clientId,
    clientSecret,
    webhookSecret: isLending ? secret : null,
    cards: hasPatterns ? [`^${prefix}\\d{9}$`] : [],
    entry: { koha: { max_in_flight: maxInFlight } },
  };
}

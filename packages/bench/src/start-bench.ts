import type { ServedLibrary } from '@passport/testkit';
import type { StartedKoha } from './kohas-protocol.ts';
import { startStack, type Stack, type StackOptions } from './start-stack.ts';

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

export interface BenchOptions extends Pick<
  StackOptions,
  'front' | 'receivers' | 'workers' | 'redis' | 'redisRoundTripMs' | 'env' | 'probeEveryMs'
> {
  readonly latencyMs: number;
  /** Home libraries, with how many patrons each. */
  readonly homes: readonly { readonly id: string; readonly prefix: string; readonly patrons: number }[];
  readonly items?: number;
  /** Whether staff pages of the lending library have the plugin's script. */
  readonly hasDesk?: boolean;
  /** Whether a home is queried for its own cards only. */
  readonly hasPatterns?: boolean;
  /** Whether the end of each event can be waited for (`Kohas.ended`). */
  readonly isWatched?: boolean;
  /** Whether volume limits are out of the way ({@link NO_LIMITS}). */
  readonly hasNoLimits?: boolean;
  readonly retention?: Readonly<Record<string, string>>;
  /** More keys of every library's `retry`. */
  readonly retry?: Readonly<Record<string, unknown>>;
}

/** A stack with one lending library. */
export interface Bench extends Omit<Stack, 'scan'> {
  /** Signs and sends a scan at the lending library. */
  scan(data: Readonly<Record<string, unknown>>): Promise<{ id: string; sentAt: number; status: number }>;
}

/** Starts Redis, the stand-ins and the built processes around one lending library. */
export async function startBench(options: BenchOptions): Promise<Bench> {
  const { latencyMs, homes, hasPatterns = true, isWatched = false, hasNoLimits = false } = options;
  const { hasDesk = false } = options;
  const { retention, retry } = options;
  const stack = await startStack({
    ...options,
    plan: {
      latencyMs,
      isWatched,
      libraries: [
        { id: LENDING, prefix: '99999', patrons: 0, items: options.items ?? 0, hasDesk },
        ...homes.map((home) => ({ ...home, items: 0 })),
      ],
    },
    serve: (kohas, secretOf) =>
      kohas.map((koha) => serveKoha(koha, koha.id === LENDING ? secretOf(LENDING) : null, hasPatterns)),
    keys: {
      agreements: homes.map(({ id }) => ({ home: id, lending: LENDING })),
      ...(retention === undefined ? {} : { retention }),
      defaults: {
        copy: { category: 'PT' },
        ...(hasNoLimits ? { limits: NO_LIMITS } : {}),
        ...(retry === undefined ? {} : { retry }),
      },
    },
  });
  return { ...stack, scan: (data) => stack.scan(LENDING, data) };
}

/** A library of the configuration that is served by one stand-in. */
export function serveKoha(
  koha: StartedKoha,
  webhookSecret: string | null,
  hasPatterns = true,
): ServedLibrary {
  const { id, prefix, url: kohaUrl, clientId, clientSecret } = koha;
  return {
    id,
    kohaUrl,
    clientId,
    clientSecret,
    webhookSecret,
    cards: hasPatterns ? [`^${prefix}\\d{9}$`] : [],
  };
}

import { startKohaDouble, type KohaDouble, type KohaDoubleOptions } from '@passport/koha-double';
import {
  createReceiverClient,
  startFaultProxy,
  startRedis,
  startServices,
  type ConsortiumKeys,
  type FaultProxy,
  type ReceiverClient,
  type RedisOptions,
  type ServedLibrary,
  type Services,
  type StartedRedis,
} from '@passport/testkit';
import { formatWebhookSecret } from '@passport/contract';
import { randomBytes, randomUUID } from 'node:crypto';

/** How one library of a test is to be; everything may be left out. */
export interface LibraryPlan {
  /** Patterns of its card numbers; none: queried for every card. */
  readonly cards?: readonly string[];
  /** More keys of its entry in the configuration file. */
  readonly entry?: Readonly<Record<string, unknown>>;
  /** How its Koha is to be: seed (default: set up for visitors, nobody there), release, latency and so on. */
  readonly koha?: Omit<KohaDoubleOptions, 'library' | 'port' | 'webhook'>;
  /** An address to reach its Koha by, such as that of a proxy; gets the port of its Koha. */
  readonly reachedAt?: (port: number) => Promise<string>;
  /** A Koha that runs already and serves this library too, at an address that takes any credentials: none is started. */
  readonly servedBy?: { readonly double: KohaDouble; readonly url: string };
  /** False: it is a home library only and reports no scans. */
  readonly reports?: boolean;
}

export interface ConsortiumOptions<Id extends string> {
  readonly libraries: Readonly<Record<Id, LibraryPlan>>;
  readonly receivers?: number;
  readonly workers?: number;
  readonly dashboards?: number;
  readonly redis?: RedisOptions;
  /** Puts a fault proxy between our processes and Redis. */
  readonly redisProxy?: boolean;
  /** Creates that are open at one Koha at the same time deadlock, as in a real one's database. Default true. */
  readonly deadlocks?: boolean;
  readonly keys?: ConsortiumKeys;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Consortium<Id extends string> {
  readonly redis: StartedRedis;
  readonly redisProxy: FaultProxy | null;
  readonly services: Services;
  /** The Kohas, in this process: their state, calls and faults are a function call away. */
  readonly doubles: Readonly<Record<Id, KohaDouble>>;
  readonly secrets: Readonly<Record<Id, string>>;
  /** A library's side of the receiver; of the first one, where there are several. */
  at(library: Id, receiver?: number): ReceiverClient;
  stop(): Promise<void>;
}

/**
 * Starts what every system test runs on: a real Redis, a stand-in Koha for each library, and the built receivers and
 * workers between them, all on free ports of 127.0.0.1. Takes about a second: start one for a file of tests
 * (`beforeAll`) and give each test a card and an item of its own (`harness/people.ts`). The processes are those of
 * the last `npm run build`; `npm test` builds first.
 */
export async function startConsortium<Id extends string>(
  options: ConsortiumOptions<Id>,
): Promise<Consortium<Id>> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const redis = await startRedis(options.redis);
    closers.push(() => redis.stop());
    const redisProxy = options.redisProxy === true ? await startFaultProxy({ target: redis.port }) : null;
    if (redisProxy !== null) closers.push(() => redisProxy.close());
    const ids = Object.keys(options.libraries) as Id[];
    const kohas = await Promise.all(
      ids.map(async (id) => {
        const { koha, servedBy } = options.libraries[id];
        const settings = { deadlocks: options.deadlocks ?? true, ...koha?.settings };
        const double =
          servedBy?.double ??
          (await startKohaDouble({ library: id, credentials: 'random', ...koha, settings }));
        if (servedBy === undefined) closers.push(() => double.close());
        return { id, double, served: await serve(id, options.libraries[id], double) };
      }),
    );
    const services = await startServices({
      libraries: kohas.map(({ served }) => served),
      redisUrl: redisProxy === null ? redis.url : redis.url.replace(`:${redis.port}`, `:${redisProxy.port}`),
      ...pick(options, ['receivers', 'workers', 'dashboards', 'keys', 'env']),
    });
    closers.push(() => services.stop());
    const secrets = byId<Id, string>(kohas.map(({ id, served }) => [id, served.webhookSecret ?? '']));
    return {
      redis,
      redisProxy,
      services,
      doubles: byId<Id, KohaDouble>(kohas.map(({ id, double }) => [id, double])),
      secrets,
      at: (library, receiver = 0) =>
        createReceiverClient({
          receiverUrl: services.receivers[receiver]?.url ?? '',
          library,
          secret: secrets[library],
        }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function serve(id: string, plan: LibraryPlan, double: KohaDouble): Promise<ServedLibrary> {
  const { reachedAt, servedBy } = plan;
  return {
    id,
    kohaUrl: servedBy?.url ?? (reachedAt === undefined ? double.url : await reachedAt(double.port)),
    ...(servedBy === undefined
      ? double.credentials
      : { clientId: randomUUID(), clientSecret: randomBytes(24).toString('base64url') }),
    webhookSecret: plan.reports === false ? null : formatWebhookSecret(randomBytes(32)),
    ...pick(plan, ['cards', 'entry']),
  };
}

function byId<Id extends string, T>(entries: readonly (readonly [Id, T])[]): Readonly<Record<Id, T>> {
  return Object.fromEntries(entries) as Record<Id, T>;
}

/** The keys of `from` that are there: an absent key is not one that is undefined. */
function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]])) as Pick<T, K>;
}

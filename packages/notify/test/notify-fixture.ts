import { type Consortium, type NotifiedEndpoint, Secret } from '@passport/config';
import { NOTIFICATION_TOPICS, type NotificationMessage } from '@passport/contract';
import {
  type Redis,
  closeRedis,
  createLogger,
  createMetrics,
  createRedis,
  untilRedisReady,
} from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { type Notifier, type Observation, buildNotifier } from '@passport/notify';
import { type Endpoint, startEndpoint } from './start-endpoint.ts';

export const NOON = Date.parse('2026-11-25T12:00:00Z');
export const DASHBOARD = 'https://passport.example.org/dashboard';
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const SECRET = `whsec_${Buffer.from('o1-2_3.4'.repeat(4)).toString('base64')}`;

/** A library that answers or does not. */
export const library = (id: string, isAway: boolean): Observation => ({
  topic: 'library',
  library: id,
  state: isAway ? 'away' : 'there',
  isWell: !isAway,
  type: isAway ? 'library.away' : 'library.back',
  text: isAway ? 'does not answer.' : 'answers again.',
  section: 'passportlibraryopen',
  facts: isAway ? { code: 'timeout' } : {},
});

/** One process that notifies. */
export interface Party {
  readonly notifier: Notifier;
  readonly metrics: () => Promise<string>;
  /** Ends what it is sending. */
  stop(): void;
}

/** Processes that notify over one real Redis, with a clock that the test moves, and a real endpoint. */
export interface NotifyFixture {
  readonly server: StartedRedis;
  readonly redis: Redis;
  readonly endpoint: Endpoint;
  /** One more process. */
  startProcess(
    endpoints?: readonly NotifiedEndpoint[],
    timings?: { readonly attemptMs: number; readonly patienceMs: number },
  ): Promise<Party>;
  endpointOf(change?: Partial<NotifiedEndpoint>): NotifiedEndpoint;
  pass(ms: number): void;
  readonly now: () => number;
  /** One look and one delivery of a process, whoever has just looked. */
  round(party: Party, ...observations: readonly Observation[]): Promise<void>;
  /** The messages that arrived. */
  messages(): NotificationMessage[];
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function openNotifyFixture(): Promise<NotifyFixture> {
  const server = await startRedis();
  const endpoint = await startEndpoint();
  const log = createLogger({ name: 'test', level: 'fatal' });
  const opened: Redis[] = [];
  const connect = async (): Promise<Redis> => {
    const redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
    opened.push(redis);
    await untilRedisReady(redis, 5_000);
    return redis;
  };
  const redis = await connect();
  let nowMs = NOON;
  let ids = 0;
  const endpointOf = (change: Partial<NotifiedEndpoint> = {}): NotifiedEndpoint => ({
    name: 'ops',
    url: new Secret(endpoint.url),
    format: 'standard',
    secret: new Secret(SECRET),
    from: null,
    to: [],
    topics: NOTIFICATION_TOPICS,
    libraries: 'all',
    ...change,
  });
  const libraries = ['midland', 'riverside'].map((id) => ({ id, name: `${id} library` }));
  return {
    server,
    redis,
    endpoint,
    endpointOf,
    now: () => nowMs,
    async startProcess(endpoints = [endpointOf()], timings) {
      const registry = createMetrics({ process: 'test', logHealth: log.health });
      const stopping = new AbortController();
      const notifier = buildNotifier({
        consortium: {
          name: 'Prairie Libraries',
          public: { receiver: null, dashboard: DASHBOARD },
          libraries,
          notify: endpoints,
        } as unknown as Consortium,
        redis: await connect(),
        metrics: registry,
        newId: () => `id-${(ids += 1)}`,
        random: () => 0,
        now: () => nowMs,
        fetch,
        signal: stopping.signal,
        ...timings,
        log,
      });
      if (notifier === null) throw new Error('nobody wants to be notified');
      return { notifier, metrics: () => registry.metrics(), stop: () => stopping.abort() };
    },
    pass: (ms) => {
      nowMs += ms;
    },
    async round({ notifier }, ...observations) {
      await redis.del('{passport}:notices:watch');
      await notifier.watch(async () => observations);
      await notifier.send();
    },
    messages: () => endpoint.received.map(({ body }) => JSON.parse(body) as NotificationMessage),
    async clear() {
      await redis.flushall();
      endpoint.received.length = 0;
      endpoint.answer = (response) => void response.end('ok');
    },
    async close() {
      await Promise.all(opened.map((each) => closeRedis(each)));
      await endpoint.close();
      await server.stop();
    },
  };
}

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
  type ServedLibrary,
  type Services,
  type StartedRedis,
} from '@passport/testkit';
import { preciseNow } from './clock.ts';
import { startFarProxy } from './front/far-proxy.ts';
import type { FrontPlan, KohaPlan, StartedKoha } from './kohas-protocol.ts';
import { NotHere } from './scenario.ts';
import { startKohas, type Kohas } from './start-kohas.ts';
import { createWarmClient } from './warm-client.ts';

/** Of deploy/docker/make-keys.mjs: what decides how much memory a job takes. */
const SHIPPED_REDIS = ['--hash-max-listpack-value', '4096'];

export interface StackOptions {
  readonly plan: Omit<KohaPlan, 'front'>;
  /** What stands before each Koha; `tls` gets a certificate made here. */
  readonly front?: Omit<FrontPlan, 'tls'> & { readonly tls: boolean };
  /** The libraries of the configuration; those that report scans sign them with `secretOf` their id. */
  readonly serve: (
    kohas: readonly StartedKoha[],
    secretOf: (library: string) => string,
  ) => readonly ServedLibrary[];
  readonly keys?: ConsortiumKeys;
  readonly receivers?: number;
  readonly workers?: number;
  readonly redis?: RedisOptions;
  /** How far away Redis is. */
  readonly redisRoundTripMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** How often a starting process is checked for readiness. */
  readonly probeEveryMs?: number;
}

/** Redis, the stand-ins and the built processes, as they ship. */
export interface Stack {
  readonly redis: StartedRedis;
  /** Where the processes reach Redis. */
  readonly redisPort: number;
  readonly kohas: Kohas;
  readonly services: Services;
  /** What a library signs its events with. */
  secretOf(library: string): string;
  /** Signs and sends a scan over a warm connection; `sentAt` is when its first byte could have gone. */
  scan(
    library: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<{ id: string; sentAt: number; status: number }>;
  stop(): Promise<void>;
}

/** Starts a stack and returns when all of it is ready. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const front = options.front === undefined ? null : await completeFront(options.front, closers);
    const redis = await startRedis({ ...(options.redis ?? { appendonly: true }), args: SHIPPED_REDIS });
    closers.push(() => redis.stop());
    const kohas = await startKohas({ ...options.plan, ...(front === null ? {} : { front: front.plan }) });
    closers.push(() => kohas.stop());
    const secretOf = buildSecrets();
    const { redisRoundTripMs } = options;
    const far = redisRoundTripMs === undefined ? null : await startFarProxy(redis.port, redisRoundTripMs);
    closers.push(() => far?.close());
    const redisPort = far?.port ?? redis.port;
    const services = await startServices({
      redisUrl: redis.url.replace(`:${redis.port}`, `:${redisPort}`),
      libraries: options.serve(kohas.kohas, secretOf),
      receivers: options.receivers ?? 1,
      workers: options.workers ?? 1,
      ...(options.keys === undefined ? {} : { keys: options.keys }),
      ...(options.probeEveryMs === undefined ? {} : { probeEveryMs: options.probeEveryMs }),
      env: { ...front?.env, ...options.env },
    });
    closers.push(() => services.stop());
    const client = createWarmClient(services.receivers[0]?.url ?? 'http://127.0.0.1');
    closers.push(() => client.close());
    return {
      redis,
      redisPort,
      kohas,
      services,
      secretOf,
      async scan(library, data) {
        const { headers, body, id } = signedRequest({
          secret: secretOf(library),
          body: buildScanEvent(data),
        });
        const sentAt = preciseNow();
        const { status } = await client.call('POST', `/webhooks/${library}`, headers, body);
        return { id, sentAt, status };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function buildSecrets(): (library: string) => string {
  const secrets = new Map<string, string>();
  return (library) => {
    const secret = secrets.get(library) ?? formatWebhookSecret(randomBytes(32));
    secrets.set(library, secret);
    return secret;
  };
}

interface CompleteFront {
  readonly plan: FrontPlan;
  readonly env: Readonly<Record<string, string>>;
}

async function completeFront(
  front: NonNullable<StackOptions['front']>,
  closers: (() => unknown)[],
): Promise<CompleteFront> {
  if (!front.tls) return { plan: { ...front, tls: null }, env: {} };
  const dir = await mkdtemp(join(tmpdir(), 'passport-bench-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const { certFile, keyFile } = await makeTestCertificate(dir).catch(() => {
    throw new NotHere('openssl is not on this machine');
  });
  const [key, cert] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certFile, 'utf8')]);
  return { plan: { ...front, tls: { key, cert } }, env: { NODE_EXTRA_CA_CERTS: certFile } };
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callRedis, type RedisAddress } from './call-redis.ts';
import { freePort } from './free-port.ts';
import { findRedisServer } from './find-program.ts';
import { startProcess, type StartedProcess } from './start-process.ts';
import { makeTestCertificate } from './test-certificate.ts';
import { waitFor } from './wait-for.ts';

export interface RedisOptions {
  /** Keep every write in a file, fsync at each (as production does), so that it survives `kill` and `restart`. */
  readonly appendonly?: boolean;
  /** More arguments of redis-server, such as `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
  readonly port?: number;
  readonly password?: string;
  /** The port of the master on this machine. */
  readonly replicaOf?: number;
  /** TLS only, with a certificate of its own: see `caFile`. */
  readonly tls?: boolean;
  /** Cluster mode, with all slots on this one node. */
  readonly cluster?: boolean;
}

export interface StartedRedis {
  /** `redis://` or `rediss://`; for a cluster `redis+cluster://`. */
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** What a client must trust, for `NODE_EXTRA_CA_CERTS`; null without TLS. */
  readonly caFile: string | null;
  /** Sends one command on a connection of its own. */
  call(...command: string[]): Promise<unknown>;
  /** Ends the server with a signal and waits until it is gone; its files stay. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and files, after a `kill` or instead of one. */
  restart(): Promise<void>;
  /** Stops or continues the process without killing it: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
}

/**
 * Starts a real redis-server (or valkey-server) on 127.0.0.1 in a directory of its own in `folder`, and returns once it answers.
 * Rejects with its output when it does not start, and leaves nothing then.
 */
export async function startRedis(options: RedisOptions = {}, folder = tmpdir()): Promise<StartedRedis> {
  const dir = await mkdtemp(join(folder, 'passport-redis-'));
  const port = options.port ?? (await freePort());
  const { password } = options;
  const certificate = options.tls === true ? await makeTestCertificate(dir) : null;
  const address: RedisAddress = {
    port,
    ...(password !== undefined && { password }),
    ...(certificate && { ca: await readFile(certificate.certFile) }),
  };
  const isCluster = options.cluster === true;
  const busPort = isCluster ? await freePort() : null;
  const args = redisArguments(options, { dir, port, busPort }, certificate);
  let server = await run(args, address, isCluster).catch(async (error: unknown) => {
    await rm(dir, { recursive: true });
    throw error;
  });
  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    server.kill('SIGCONT');
    server.kill(signal);
    await server.exited;
  }
  return {
    url: redisUrl(options, port),
    port,
    dir,
    caFile: certificate?.certFile ?? null,
    call: (...command) => callRedis(address, command),
    kill,
    async restart() {
      await kill('SIGTERM');
      server = await run(args, address, isCluster);
    },
    freeze: () => server.kill('SIGSTOP'),
    thaw: () => server.kill('SIGCONT'),
    async stop() {
      await kill('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function run(
  args: readonly string[],
  address: RedisAddress,
  isCluster: boolean,
): Promise<StartedProcess> {
  const readyWhen = async (): Promise<boolean> => (await callRedis(address, ['PING'])) === 'PONG';
  const server = await startProcess({ command: findRedisServer(), args, readyWhen });
  if (isCluster) await claimAllSlots(address, server);
  return server;
}

async function claimAllSlots(address: RedisAddress, server: StartedProcess): Promise<void> {
  const isOk = async () => String(await callRedis(address, ['CLUSTER', 'INFO'])).includes('cluster_state:ok');
  if (await isOk()) return;
  try {
    await callRedis(address, ['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  } catch (error) {
    const known = error instanceof Error && error.message.includes('already busy');
    if (!known) {
      await server.stop();
      throw error;
    }
  }
  await waitFor('the cluster to be ok', isOk, { timeoutMs: 10_000 });
}

function redisArguments(
  { appendonly = false, password, replicaOf, args = [] }: RedisOptions,
  { dir, port, busPort }: { dir: string; port: number; busPort: number | null },
  certificate: { certFile: string; keyFile: string } | null,
): readonly string[] {
  const settings = {
    bind: '127.0.0.1',
    daemonize: 'no',
    'protected-mode': 'no',
    'repl-diskless-sync-delay': '0',
    save: '',
    dir,
    port: certificate === null ? String(port) : '0',
    ...(certificate && {
      'tls-port': String(port),
      'tls-cert-file': certificate.certFile,
      'tls-key-file': certificate.keyFile,
      'tls-ca-cert-file': certificate.certFile,
      'tls-auth-clients': 'no',
    }),
    appendonly: appendonly ? 'yes' : 'no',
    appendfsync: 'always',
    ...(password !== undefined && { requirepass: password, masterauth: password }),
    ...(busPort !== null && clusterSettings(busPort)),
  };
  return [
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    ...(replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', String(replicaOf)]),
    ...args,
  ];
}

/** The bus has a port of its own choice: 10,000 above a free port, where Redis would put it, may be no port at all. */
export const clusterSettings = (busPort: number) => ({
  'cluster-enabled': 'yes',
  'cluster-announce-ip': '127.0.0.1',
  'cluster-port': String(busPort),
});

function redisUrl(options: RedisOptions, port: number): string {
  const access = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  if (options.cluster === true) {
    return `redis+cluster://${access}127.0.0.1:${port}${options.tls === true ? '?tls=1' : ''}`;
  }
  return `${options.tls === true ? 'rediss' : 'redis'}://${access}127.0.0.1:${port}`;
}

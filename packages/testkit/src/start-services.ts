import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildConsortiumFile,
  consortiumSecrets,
  type ConsortiumKeys,
  type ServedLibrary,
} from './consortium-file.ts';
import { freePort } from './free-port.ts';
import { notInFastTests, startProcess, type ProcessExit, type StartedProcess } from './start-process.ts';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

interface ServicesOptions {
  readonly libraries: readonly ServedLibrary[];
  readonly redisUrl: string;
  /** How many of each to start: 1, 1 and 0. */
  readonly receivers?: number;
  readonly workers?: number;
  readonly dashboards?: number;
  /** Other keys of the configuration file. */
  readonly keys?: ConsortiumKeys;
  /** More environment for every process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Built processes of ours, started for one test or suite. */
export interface Services {
  readonly receivers: readonly RunningService[];
  readonly workers: readonly RunningService[];
  readonly dashboards: readonly RunningService[];
  /** What each process gets, without ports: enough for the command line, too. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts one more, or several at once; `root` is a folder with another build than this one. */
  add(name: ServiceName, count?: number, root?: string): Promise<readonly RunningService[]>;
  /** The log lines of every process so far, those before a restart too. */
  logs(): Promise<string>;
  /** Stops them all at once and removes their files. */
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Environment of workers for tests that wait for what was written into a copy to be stored at its library: within a second, not
 * fifteen (`apps/worker/src/sources.ts`).
 */
export const REMEMBERED_SOON = { PASSPORT_TEST_TIMINGS: JSON.stringify({ rememberMs: 1_000 }) };

/**
 * Starts receivers, workers and dashboards as they were built (`npm run build`), on free ports of 127.0.0.1, with a
 * configuration and a PASSPORT_KEY of their own, and returns once all are ready. The Kohas and Redis are the
 * caller's.
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const dir = await mkdtemp(join(tmpdir(), 'passport-services-'));
  const configFile = join(dir, 'passport.yaml');
  const logFile = join(dir, 'services.log');
  await writeFile(configFile, buildConsortiumFile(options.libraries, options.keys));
  await writeFile(logFile, '');
  const env = {
    PASSPORT_CONFIG: configFile,
    PASSPORT_KEY: randomBytes(32).toString('base64'),
    REDIS_URL: options.redisUrl,
    SHUTDOWN_GRACE: '10s',
    DASHBOARD_USER: 'operator',
    DASHBOARD_PASSWORD: randomBytes(18).toString('base64url'),
    ...consortiumSecrets(options.libraries),
    ...options.env,
  };
  const running: Record<ServiceName, RunningService[]> = { receiver: [], worker: [], dashboard: [] };
  const add = async (name: ServiceName, count = 1, root = ROOT): Promise<readonly RunningService[]> => {
    const starts = Array.from({ length: count }, () => startService({ name, root, env, logFile }));
    const started = await Promise.allSettled(starts);
    const services = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    running[name].push(...services);
    const failed = started.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return services;
  };
  const stop = async (): Promise<void> => {
    const all = [...running.receiver, ...running.worker, ...running.dashboard];
    await Promise.all(all.map((service) => service.stop()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await Promise.all([
      add('receiver', options.receivers ?? 1),
      add('worker', options.workers ?? 1),
      add('dashboard', options.dashboards ?? 0),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    receivers: running.receiver,
    workers: running.worker,
    dashboards: running.dashboard,
    env,
    add,
    logs: () => readFile(logFile, 'utf8'),
    stop,
  };
}

type ServiceName = 'receiver' | 'worker' | 'dashboard';

/** One built process of ours. */
export interface RunningService {
  readonly name: ServiceName;
  /** Where it listens for others; a worker listens nowhere and has the address of its admin server here, too. */
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Whether it is running at this moment. */
  alive(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Ends it with a signal, by default SIGKILL, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<ProcessExit>;
  /** Starts it again on the same ports, stopped first if it runs, and waits until it is ready. */
  restart(): Promise<void>;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  /** SIGTERM, and SIGKILL when it takes longer than 15 s. */
  stop(): Promise<ProcessExit>;
}

const STOP_MS = 15_000;

/** Starts the built `apps/{name}` under `root` on free ports and returns once its `/readyz` says so. */
export async function startService(options: {
  name: ServiceName;
  root: string;
  env: Readonly<Record<string, string>>;
  logFile: string;
}): Promise<RunningService> {
  const { name } = options;
  notInFastTests(`a built ${name}`);
  const [port, adminPort] = [await freePort(), await freePort()];
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const start = (): Promise<StartedProcess> =>
    startProcess({
      ...shippedCommand(options.root, name),
      cwd: options.root,
      env: {
        ...options.env,
        ADMIN_PORT: String(adminPort),
        RECEIVER_PORT: String(port),
        RECEIVER_HOST: '127.0.0.1',
        DASHBOARD_PORT: String(port),
      },
      logFile: options.logFile,
      readyWhen: async () => (await fetch(`${adminUrl}/readyz`)).ok,
      timeoutMs: 30_000,
    });
  let current = await start();
  let ended: StartedProcess | null = null;
  const watch = (): void => {
    const watched = current;
    void watched.exited.then(() => (ended = watched));
  };
  watch();
  const isAlive = (): boolean => ended !== current;
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<ProcessExit> => {
    current.kill(signal);
    const exit = await current.exited;
    ended = current;
    return exit;
  };
  return {
    name,
    url: name === 'worker' ? adminUrl : `http://127.0.0.1:${port}`,
    adminUrl,
    get pid() {
      return current.pid;
    },
    alive: isAlive,
    signal: (signal) => current.kill(signal),
    kill,
    async restart() {
      if (isAlive()) await kill();
      current = await start();
      watch();
    },
    metrics: async () => (await fetch(`${adminUrl}/metrics`)).text(),
    stop: () => current.stop(STOP_MS),
  };
}

interface ShippedCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** How docker-compose.yml under `root` starts a process, the flags of Node included, with the program that was built there. */
export function shippedCommand(root: string, name: string): ShippedCommand {
  const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    readonly services: Readonly<Record<string, { readonly command?: readonly string[] }>>;
  };
  const [node, ...args] = compose.services[name]?.command ?? [];
  const program = args.pop();
  if (node !== 'node' || program === undefined) throw new Error(`docker-compose.yml does not start ${name}`);
  return { command: process.execPath, args: [...args, join(root, program)] };
}

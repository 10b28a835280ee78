import { freePort } from './free-port.ts';
import { notInFastTests } from './not-in-fast-tests.ts';
import { shippedCommand } from './shipped-command.ts';
import { startProcess, type ProcessExit, type StartedProcess } from './start-process.ts';

export type ServiceName = 'receiver' | 'worker' | 'dashboard';

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
  probeEveryMs?: number;
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
      ...(options.probeEveryMs === undefined ? {} : { probeEveryMs: options.probeEveryMs }),
    });
  let isAlive = false;
  let current = await start();
  const watch = (started: StartedProcess): void => {
    isAlive = true;
    void started.exited.then(() => {
      if (started === current) isAlive = false;
    });
  };
  watch(current);
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<ProcessExit> => {
    current.kill(signal);
    const exit = await current.exited;
    isAlive = false;
    return exit;
  };
  return {
    name,
    url: name === 'worker' ? adminUrl : `http://127.0.0.1:${port}`,
    adminUrl,
    get pid() {
      return current.pid;
    },
    alive: () => isAlive,
    signal: (signal) => current.kill(signal),
    kill,
    async restart() {
      if (isAlive) await kill();
      current = await start();
      watch(current);
    },
    metrics: async () => (await fetch(`${adminUrl}/metrics`)).text(),
    stop: () => current.stop(STOP_MS),
  };
}

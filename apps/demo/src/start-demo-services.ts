import { join } from 'node:path';
import { freePort } from '@passport/testkit';
import type { DemoPorts } from './demo-libraries.ts';
import { superviseProcess, type SupervisedProcess, type Surroundings } from './supervise-process.ts';

const NAMES = ['receiver', 'worker', 'dashboard'] as const;
type Name = (typeof NAMES)[number];

export interface DemoServices {
  readonly adminUrls: Readonly<Record<Name, string>>;
  /** Ends them all at the same time; what they are doing, they finish. */
  stop(): Promise<void>;
}

/** As SHUTDOWN_GRACE below, and what is left to a process that does not keep to it. */
const GRACE_SECONDS = 5;
const STOP_MS = (GRACE_SECONDS + 2) * 1_000;

/** Starts receiver, worker and dashboard as they were built, and resolves when all three are ready. */
export async function startDemoServices(
  surroundings: Surroundings & {
    readonly root: string;
    readonly dir: string;
    readonly ports: Pick<DemoPorts, 'receiver' | 'dashboard'>;
    /** The variables of the product. */
    readonly variables: Readonly<Record<string, string>>;
  },
): Promise<DemoServices> {
  const adminPorts = await Promise.all(NAMES.map(() => freePort()));
  const adminUrl = (name: Name) => `http://127.0.0.1:${adminPorts[NAMES.indexOf(name)]}`;
  const start = (name: Name): Promise<SupervisedProcess> => {
    const program = join(surroundings.root, 'apps', name, 'dist/main.js');
    return superviseProcess({
      ...surroundings,
      name,
      mark: program,
      command: surroundings.node,
      args: [
        ...(surroundings.watch ? ['--watch', '--watch-preserve-output'] : []),
        '--enable-source-maps',
        program,
      ],
      env: {
        ...surroundings.env,
        ...surroundings.variables,
        ADMIN_PORT: new URL(adminUrl(name)).port,
        ADMIN_HOST: '127.0.0.1',
        RECEIVER_HOST: '127.0.0.1',
        RECEIVER_PORT: String(surroundings.ports.receiver),
        DASHBOARD_HOST: '127.0.0.1',
        DASHBOARD_PORT: String(surroundings.ports.dashboard),
        SHUTDOWN_GRACE: `${GRACE_SECONDS}s`,
      },
      logFile: join(surroundings.dir, 'logs', `${name}.log`),
      isReady: async () => (await fetch(`${adminUrl(name)}/readyz`)).ok,
    });
  };
  const started = await Promise.allSettled(NAMES.map(start));
  const running = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((service) => service.stop(STOP_MS)));
  };
  const failed = started.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    adminUrls: {
      receiver: adminUrl('receiver'),
      worker: adminUrl('worker'),
      dashboard: adminUrl('dashboard'),
    },
    stop,
  };
}

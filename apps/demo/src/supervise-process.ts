import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What every supervised process is given. */
export interface Surroundings {
  /** Its environment, PATH and the like. */
  readonly env: NodeJS.ProcessEnv;
  /** The program that runs JavaScript. */
  readonly node: string;
  /** Whether a service starts again when a file that it has loaded changes. */
  readonly watch: boolean;
  /** Shows a line of progress. */
  readonly say: (line: string) => void;
  /** Gets each process that was started, with a text of its command line. */
  readonly onStart: (child: { readonly pid: number; readonly mark: string }) => void;
}

export interface SupervisedProcess {
  /** SIGTERM, after `timeoutMs` SIGKILL; it is not started again. Resolves when it is gone. */
  stop(timeoutMs: number): Promise<void>;
}

type SuperviseOptions = Omit<Surroundings, 'node' | 'watch'> & {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** A text that only its command line holds. */
  readonly mark: string;
  readonly logFile: string;
  readonly isReady: () => Promise<boolean>;
};

const READY_WITHIN_MS = 30_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** One that ran so long has recovered: its next restart is prompt again. */
const HEALTHY_AFTER_MS = 10_000;

/**
 * Starts a program whose output goes to `logFile`, resolves when `isReady` says so, and from then on starts it again
 * whenever it ends, as compose would. Rejects when it ends before it was ever ready, or is not ready in 30 s. It has
 * a process group of its own, so that Ctrl-C reaches it through `stop` alone, in order.
 */
export async function superviseProcess(options: SuperviseOptions): Promise<SupervisedProcess> {
  const { name, isReady, say } = options;
  let isStopping = false;
  let pauseMs = FIRST_PAUSE_MS;
  let current = startOnce(options);

  const keep = async (): Promise<void> => {
    for (;;) {
      const startedAt = performance.now();
      const how = await current.ended;
      if (isStopping) return;
      if (performance.now() - startedAt > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
      say(`${name} ended (${how}); starting it again`);
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      if (isStopping) return;
      current = startOnce(options);
    }
  };
  const stop = async (timeoutMs: number): Promise<void> => {
    isStopping = true;
    current.child.kill('SIGTERM');
    const timer = setTimeout(() => current.child.kill('SIGKILL'), timeoutMs);
    await current.ended;
    clearTimeout(timer);
  };
  try {
    await untilReady(name, isReady, current.ended, options.logFile);
  } catch (error) {
    await stop(1_000);
    throw error;
  }
  void keep();
  return { stop };
}

interface Started {
  readonly child: ChildProcess;
  /** How it ended: a signal, or a code. */
  readonly ended: Promise<string>;
}

function startOnce(options: SuperviseOptions): Started {
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  if (child.pid !== undefined) options.onStart({ pid: child.pid, mark: options.mark });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  }).finally(() => process.off('exit', killWithUs));
  return { child, ended };
}

async function untilReady(
  name: string,
  isReady: () => Promise<boolean>,
  ended: Promise<string>,
  logFile: string,
): Promise<void> {
  let how: string | null = null;
  void ended.then((end) => {
    how = end;
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    if (how !== null) throw new Error(`${name} did not start (${String(how)}): see ${logFile}`);
    if (await isReady().catch(() => false)) return;
    await sleep(25);
  }
  throw new Error(`${name} was not ready after ${READY_WITHIN_MS / 1_000} s: see ${logFile}`);
}

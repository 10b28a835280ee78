import { type Session, url as inspectorUrl } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import type { Logger } from './logger.ts';

/**
 * So long an event loop may be blocked. The jobs of a worker are somebody else's after 4 s, and a request has been given up by
 * then; a machine that swaps gets its time. With the other times of a worker: scan-worker.ts.
 */
export const BLOCKED_MS = 30_000;
const BEAT_MS = 1_000;

/** Places in the memory that both threads share. */
const BEATS = 0;
const IS_DEBUGGED = 1;
const NEVER_NOTIFIED = 2;

interface WatchedLoop {
  readonly shared: Int32Array;
  readonly name: string;
  readonly pid: number;
  readonly beatMs: number;
  /** So many beats in a row that did not come. */
  readonly most: number;
}

/**
 * Ends this process once its event loop has been blocked for `blockedMs`, after one fatal line on standard output
 * under `name`; so whoever keeps it running starts it again. A thread beside the loop counts beats that did not come, not time: a process that is
 * suspended and goes on, or a machine, has missed one. In a debugger it ends nothing.
 *
 * It ends by SIGKILL. The kernel spares the first process of a container, which ours are: that one is made to exit by what a debugger
 * uses to interrupt a loop.
 */
export function watchEventLoop(options: {
  readonly name: string;
  readonly pid: number;
  readonly log: Pick<Logger, 'error'>;
  readonly blockedMs?: number;
  readonly beatMs?: number;
}): void {
  const { name, pid, log, blockedMs = BLOCKED_MS, beatMs = BEAT_MS } = options;
  const shared = new Int32Array(new SharedArrayBuffer(12));
  const beat = (): void => {
    Atomics.store(shared, IS_DEBUGGED, inspectorUrl() === undefined ? 0 : 1);
    Atomics.add(shared, BEATS, 1);
  };
  beat();
  setInterval(beat, beatMs).unref();
  const workerData: WatchedLoop = { shared, name, pid, beatMs, most: Math.ceil(blockedMs / beatMs) };
  // As text: a file of its own would have to be found beside the one that a process is built into.
  const modules = "require('node:worker_threads').workerData, require('node:fs'), require('node:inspector')";
  const source = `(${countBeats.toString()})(${modules}, ${BEATS}, ${IS_DEBUGGED}, ${NEVER_NOTIFIED})`;
  const thread = new Worker(source, {
    eval: true,
    workerData,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  thread.on('error', (error) => log.error({ error }, 'the event loop is not watched'));
  thread.unref();
}

/** Runs in a thread of its own, for good. It uses nothing from outside: its text is what is carried over. */
function countBeats(
  { shared, name, pid, beatMs, most }: WatchedLoop,
  { writeSync }: { readonly writeSync: (fd: number, text: string) => void },
  inspector: { readonly Session: new () => Session },
  beatsAt: number,
  isDebuggedAt: number,
  neverNotifiedAt: number,
): void {
  let seen = 0;
  let missed = 0;
  for (;;) {
    Atomics.wait(shared, neverNotifiedAt, 0, beatMs);
    const beats = Atomics.load(shared, beatsAt);
    missed = beats === seen && Atomics.load(shared, isDebuggedAt) === 0 ? missed + 1 : 0;
    seen = beats;
    if (missed < most) continue;
    missed = 0;
    const line = {
      level: 'fatal',
      time: new Date().toISOString(),
      name,
      blocked_ms: most * beatMs,
      msg: 'the event loop is blocked: the process ends, to be started again',
    };
    try {
      writeSync(1, `${JSON.stringify(line)}\n`);
    } catch {
      // Nobody reads the log: perhaps that is what blocks.
    }
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // As where nothing comes of it.
    }
    Atomics.wait(shared, neverNotifiedAt, 0, beatMs);
    const session = new inspector.Session();
    session.connectToMainThread();
    session.post('Runtime.evaluate', { expression: 'process.exit(137)' });
  }
}

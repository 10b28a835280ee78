import { execFile } from 'node:child_process';
import type { Logger } from './logger.ts';

/** A report takes milliseconds; on a machine that swaps, the next one must not find this one still waiting. */
const REPORT_MS = 10_000;

/** What systemd learns of this process, where systemd has started it. */
export interface ServiceManager {
  /** What the process is for has begun. */
  ready(): void;
}

/**
 * Reports to systemd (`Type=notify`, `WatchdogSec=`) that the process is ready, that it stops, and twice in each interval
 * of the watchdog that its event loop still runs. Started by anything else, it does nothing. `stopping` is aborted
 * when the process begins to stop.
 *
 * Node cannot send to a Unix datagram socket, and we ship no native addon: systemd's own program does it
 * (docs/decisions/0039-debian-package.md).
 */
export function createServiceManager(
  env: NodeJS.ProcessEnv,
  options: { readonly pid: number; readonly stopping: AbortSignal; readonly log: Logger },
): ServiceManager {
  const { stopping, log } = options;
  const socket = env['NOTIFY_SOCKET'] ?? '';
  if (socket === '') return { ready: () => undefined };

  let isFailing = false;
  const report = (...states: readonly string[]): void => {
    // Nothing else of our environment: it may hold secrets.
    const reported = { env: { PATH: env['PATH'], NOTIFY_SOCKET: socket }, timeout: REPORT_MS };
    execFile('systemd-notify', states, reported, (error) => {
      if (error !== null && !isFailing) log.warn({ code: error.code ?? null }, 'systemd was not notified');
      isFailing = error !== null;
    });
  };

  const intervalMs = watchdogMs(env, options.pid);
  const timer = intervalMs === null ? undefined : setInterval(() => report('WATCHDOG=1'), intervalMs / 2);
  timer?.unref();
  // From then on TimeoutStopSec= counts, not the watchdog.
  const onStop = (): void => {
    clearInterval(timer);
    report('STOPPING=1');
  };
  if (stopping.aborted) onStop();
  else stopping.addEventListener('abort', onStop, { once: true });
  return {
    ready: () => {
      if (!stopping.aborted) report('READY=1');
    },
  };
}

/** After how long without a report systemd ends this process; null: never. */
function watchdogMs(env: NodeJS.ProcessEnv, pid: number): number | null {
  const isForUs = [undefined, '', String(pid)].includes(env['WATCHDOG_PID']);
  const ms = Number(env['WATCHDOG_USEC'] ?? '') / 1_000;
  return isForUs && Number.isFinite(ms) && ms > 0 ? ms : null;
}

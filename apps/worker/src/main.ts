import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, type WorkerConfig, workerConfig } from '@passport/config';
import {
  createLogger,
  createServiceManager,
  Lifecycle,
  type Logger,
  versionOf,
  watchEventLoop,
} from '@passport/runtime';
import { type Sources, readTimings } from './sources.ts';
import { startWorker } from './start-worker.ts';

/** Writing its five lines one by one took a sixth of an event's processor time; what the audit must not lose is flushed. */
const LOG_GATHER_MS = 20;

const readConfig = (): WorkerConfig => workerConfig(process.env, (path) => readFileSync(path, 'utf8'));

async function main(): Promise<void> {
  const config = readConfig();
  const log: Logger = createLogger({ name: 'worker', level: config.logLevel, gatherMs: LOG_GATHER_MS });
  const lifecycle = new Lifecycle(log, { graceMs: config.shutdownGraceMs });
  const wallNow = Date.now;
  process.on('exit', () => log.flush());
  lifecycle.onSignals((code) => process.exit(code));
  watchEventLoop({ name: 'worker', pid: process.pid, log });
  const manager = createServiceManager(process.env, { pid: process.pid, stopping: lifecycle.signal, log });
  try {
    const sources: Sources = {
      wallNow: () => wallNow(),
      monotonicNow: () => performance.now(),
      random: () => Math.random(),
      newId: () => randomUUID(),
      self: {
        kind: 'worker',
        version: versionOf(new URL('../package.json', import.meta.url)),
        host: hostname(),
      },
      pause: (ms) => pause(ms),
      timings: readTimings(process.env['PASSPORT_TEST_TIMINGS']),
      adoptClock: (now) => {
        Date.now = now;
      },
    };
    await startWorker(config, log, lifecycle, sources, readConfig);
    manager.ready();
  } catch (error) {
    lifecycle.fail(error);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
});

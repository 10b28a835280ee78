import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, type WorkerConfig, workerConfig } from '@passport/config';
import { createLogger, Lifecycle, type Logger, versionOf } from '@passport/runtime';
import { startWorker } from './wiring.ts';

async function main(): Promise<void> {
  const config: WorkerConfig = workerConfig(process.env, (path) => readFileSync(path, 'utf8'));
  const log: Logger = createLogger({ name: 'worker', level: config.logLevel });
  const lifecycle = new Lifecycle(log, { graceMs: config.shutdownGraceMs });
  const wallNow = Date.now;
  lifecycle.onSignals((code) => process.exit(code));
  try {
    await startWorker(config, log, lifecycle, {
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
      adoptClock: (now) => {
        Date.now = now;
      },
    });
  } catch (error) {
    lifecycle.fail(error);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
});

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ConfigError, type DashboardConfig, dashboardConfig } from '@passport/config';
import { createLogger, createServiceManager, Lifecycle, versionOf, watchEventLoop } from '@passport/runtime';
import { type Sources, startDashboard } from './start-dashboard.ts';

const readConfig = (): DashboardConfig => dashboardConfig(process.env, (path) => readFileSync(path, 'utf8'));

async function main(): Promise<void> {
  const config = readConfig();
  const log = createLogger({ name: 'dashboard', level: config.logLevel });
  const lifecycle = new Lifecycle(log, { graceMs: config.shutdownGraceMs });
  lifecycle.onSignals((code) => process.exit(code));
  watchEventLoop({ name: 'dashboard', pid: process.pid, log });
  const manager = createServiceManager(process.env, { pid: process.pid, stopping: lifecycle.signal, log });
  try {
    const sources: Sources = {
      assetsDir: fileURLToPath(new URL('../assets/', import.meta.url)),
      runbook: readFileSync(new URL('runbook.html', import.meta.url), 'utf8'),
      install: process.env['PASSPORT_INSTALL'],
      id: randomUUID(),
      self: {
        kind: 'dashboard',
        version: versionOf(new URL('../package.json', import.meta.url)),
        host: hostname(),
      },
      wallNow: () => Date.now(),
      monotonicNow: () => performance.now(),
    };
    await startDashboard(config, log, lifecycle, sources, readConfig);
    manager.ready();
  } catch (error) {
    lifecycle.fail(error);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
});

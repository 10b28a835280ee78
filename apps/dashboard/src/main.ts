import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ConfigError, dashboardConfig } from '@passport/config';
import { createLogger, Lifecycle, versionOf } from '@passport/runtime';
import { startDashboard } from './start-dashboard.ts';

async function main(): Promise<void> {
  const config = dashboardConfig(process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLogger({ name: 'dashboard', level: config.logLevel });
  const lifecycle = new Lifecycle(log, { graceMs: config.shutdownGraceMs });
  lifecycle.onSignals((code) => process.exit(code));
  try {
    await startDashboard(config, log, lifecycle, {
      assetsDir: fileURLToPath(new URL('../assets/', import.meta.url)),
      id: randomUUID(),
      self: {
        kind: 'dashboard',
        version: versionOf(new URL('../package.json', import.meta.url)),
        host: hostname(),
      },
      wallNow: () => Date.now(),
      monotonicNow: () => performance.now(),
    });
  } catch (error) {
    lifecycle.fail(error);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
});

import { expect, test } from '@jest/globals';
import { startAdminServer } from '@passport/runtime';
import { capturedLog } from './captured-log.ts';

test('readiness that is never answered is not ready within a probe’s patience', async () => {
  const { log } = capturedLog();
  const ready = () => new Promise<boolean>(() => undefined);
  const metrics = () => Promise.resolve('');
  const server = await startAdminServer({ port: 0, host: '127.0.0.1', ready, metrics, log });
  const startedAt = performance.now();
  expect(await fetch(`http://127.0.0.1:${server.port}/readyz`)).toMatchObject({ status: 503 });
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  await server.close();
});

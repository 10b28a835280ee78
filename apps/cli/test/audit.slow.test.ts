import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { consortiumOf, passport } from './run-cli.ts';

const silent = createServer(() => undefined);
beforeAll(() => new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve)));
afterAll(() => void silent.close());

test('a Redis that takes connections and never answers delays no command for longer than two seconds', async () => {
  const koha = {
    library: 'riverside',
    url: 'http://127.0.0.1:9',
    credentials: { clientId: 'id', clientSecret: '0b1f5a52-6c8e-4f0e-9a44-3d1f2f8a7c11' },
  };
  const { port } = silent.address() as AddressInfo;
  const env = { ...consortiumOf([koha]), REDIS_URL: `redis://127.0.0.1:${port}` };
  const startedAt = performance.now();
  const { err } = await passport(['doctor', 'riverside', '--probe', '-'], env, { input: '25678000000001\n' });
  const tookMs = performance.now() - startedAt;
  expect(err).toContain('"action":"probe"');
  expect(err).toMatch(/"left_out":1.*not in the audit view/);
  // The rest is the start of a process.
  expect(tookMs).toBeLessThan(6_000);
});

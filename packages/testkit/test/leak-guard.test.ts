import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';

/** Runs a test body between the hooks of `leakGuard`, as the runner would. */
async function underHooks(body: (own: ReturnType<typeof leakGuard>) => Promise<void> | void): Promise<void> {
  let before: () => unknown = () => undefined;
  let after: () => unknown = () => undefined;
  const own = leakGuard({
    beforeEach: (run) => void (before = run),
    afterEach: (run) => void (after = run),
  });
  await before();
  await body(own);
  await after();
}

test('a test that leaves a server open fails, and says so', async () => {
  const server = createServer();
  const run = underHooks(() => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)));
  await expect(run).rejects.toThrow('The test left open: 1 TCPServerWrap');
  server.close();
});

test('what is owned is closed in reverse order, and then nothing is left', async () => {
  const closed: string[] = [];
  await underHooks(async (own) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    own({ stop: () => new Promise((resolve) => server.close(() => resolve(closed.push('server')))) });
    own({ close: () => closed.push('client') });
  });
  expect(closed).toEqual(['client', 'server']);
});

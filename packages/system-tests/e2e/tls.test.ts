import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type StartedRedis, createReceiverClient, startRedis, waitFor } from '@passport/testkit';
import { startConsortium } from '../harness/start-consortium.ts';
import { startReceiver } from '../harness/start-receiver.ts';
import { checkWorkflow } from '../harness/check-workflow.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

let server: StartedRedis;
beforeEach(async () => {
  server = await startRedis({ tls: true, password: 'correct horse battery staple', appendonly: true });
});
afterEach(() => server.stop());

test('the workflow passes on a Redis with TLS and a password, whose authority NODE_EXTRA_CA_CERTS names', async () => {
  const consortium = await startConsortium({
    libraries: threeLibraries,
    dashboards: 1,
    env: { REDIS_URL: server.url, NODE_EXTRA_CA_CERTS: server.caFile ?? '' },
  });
  try {
    await checkWorkflow(consortium);
    expect(await consortium.services.logs()).not.toContain('correct horse');
  } finally {
    await consortium.stop();
  }
}, 60_000);

test('a Redis whose certificate nobody vouches for gets no event, and the log says why', async () => {
  const receiver = await startReceiver({ redisUrl: server.url, redisIsAway: true });
  try {
    const client = createReceiverClient({
      receiverUrl: receiver.url,
      library: 'riverside',
      secret: receiver.secrets.riverside,
    });
    expect(await client.scan()).toMatchObject({ status: 503 });
    expect((await fetch(`${receiver.adminUrl}/readyz`)).status).toBe(503);
    await waitFor('the reason', () => /SELF_SIGNED_CERT/.test(receiver.process.output()));
    expect(await server.call('DBSIZE')).toBe(0);
  } finally {
    await receiver.stop();
  }
});

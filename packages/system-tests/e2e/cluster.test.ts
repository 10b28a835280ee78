import { afterAll, afterEach, expect, test } from '@jest/globals';
import { type StartedRedis, startRedis, startRedisCluster } from '@passport/testkit';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { checkWorkflow } from '../harness/check-workflow.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

let consortium: Consortium<keyof typeof threeLibraries> | undefined;
const servers: StartedRedis[] = [];
afterEach(() => consortium?.stop());
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const startOn = async (redisUrl: string, dashboards: number, env: Record<string, string> = {}) => {
  consortium = await startConsortium({
    libraries: threeLibraries,
    dashboards,
    env: { REDIS_URL: redisUrl, ...env },
  });
  return consortium;
};

test('the workflow passes on a Redis in cluster mode that is one node with TLS, as a managed one may be', async () => {
  const server = await startRedis({ cluster: true, tls: true, password: 'pw', appendonly: true });
  servers.push(server);
  await checkWorkflow(await startOn(server.url, 0, { NODE_EXTRA_CA_CERTS: server.caFile ?? '' }));
}, 60_000);

test('the workflow passes on a cluster of three, and all of it lives in one slot', async () => {
  const cluster = await startRedisCluster(3);
  servers.push(...cluster.nodes);
  await checkWorkflow(await startOn(cluster.url, 1));
  const sizes = await Promise.all(cluster.nodes.map(async (node) => Number(await node.call('DBSIZE'))));
  expect(sizes.filter((size) => size > 0)).toHaveLength(1);
}, 60_000);

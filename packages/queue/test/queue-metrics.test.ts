import { expect, test } from '@jest/globals';
import { queueMetrics, redisMetrics } from '@passport/queue/metrics';
import { createCounter, createMetrics } from '@passport/runtime';

const JOBS = { queued: 4, working: 0, waiting: 0, failed: 1, done: 0 };

function arrange() {
  const registry = createMetrics({ process: 'worker', processMetrics: false });
  return { registry, text: () => registry.metrics() };
}

test('the metrics of the queue are there, with type and labels', async () => {
  const { registry, text } = arrange();
  queueMetrics(
    registry,
    () => Promise.resolve({ jobs: JOBS, oldestSeconds: 12.5, backlogs: { riverside: 5 } }),
    { riverside: 10_000 },
  );
  expect((await text()).split('\n')).toEqual(
    expect.arrayContaining([
      '# TYPE passport_queue_jobs gauge',
      'passport_queue_jobs{state="queued"} 4',
      'passport_queue_jobs{state="failed"} 1',
      '# TYPE passport_queue_oldest_seconds gauge',
      'passport_queue_oldest_seconds 12.5',
      'passport_library_backlog{library="riverside"} 5',
      'passport_library_backlog_limit{library="riverside"} 10000',
      'passport_redis_up 1',
    ]),
  );
});

test('of many libraries, those without an unfinished event are not listed', async () => {
  const { registry, text } = arrange();
  const limits = Object.fromEntries(Array.from({ length: 101 }, (_, place) => [`library-${place}`, 10_000]));
  const backlogs = { 'library-0': 0, 'library-1': 5 };
  queueMetrics(registry, () => Promise.resolve({ jobs: JOBS, oldestSeconds: 1, backlogs }), limits);

  expect((await text()).split('\n').filter((line) => line.startsWith('passport_library_'))).toEqual([
    'passport_library_backlog{library="library-1"} 5',
    'passport_library_backlog_limit{library="library-1"} 10000',
  ]);
});

test('all queue gauges come from one reading', async () => {
  const { registry, text } = arrange();
  let reads = 0;
  queueMetrics(
    registry,
    () => {
      reads += 1;
      return Promise.resolve({ jobs: { ...JOBS, queued: reads }, oldestSeconds: reads, backlogs: {} });
    },
    {},
  );
  expect(await text()).toContain('passport_queue_jobs{state="queued"} 1\n');
  expect(await text()).toContain('passport_queue_oldest_seconds 2\n');
  expect(reads).toBe(2);
});

test('a queue that cannot be read leaves its gauges out, the others in, and says so', async () => {
  const { registry, text } = arrange();
  let away = false;
  const reading = { jobs: JOBS, oldestSeconds: 1, backlogs: { riverside: 1 } };
  queueMetrics(registry, () => (away ? Promise.reject(new Error('no Redis')) : Promise.resolve(reading)), {});
  createCounter(registry, { name: 'passport_other_total', help: 'Another metric' })({});
  expect(await text()).toContain('passport_queue_oldest_seconds 1');
  away = true;
  const after = await text();
  expect(after).not.toMatch(/^passport_(queue|library_backlog)\w*[{ ]/m);
  expect(after).toContain('passport_redis_up 0\n');
  expect(after).toContain('passport_other_total 1');
});

const REDIS = { version: '8.0.1', memoryUsedBytes: 5, memoryLimitBytes: 9, replicas: 1 };

test('Redis is described by its figures; what it does not report is left out', async () => {
  const { registry, text } = arrange();
  redisMetrics(registry, () => Promise.resolve({ ...REDIS, policy: 'noeviction', keepsAof: true }), 1);
  expect((await text()).split('\n')).toEqual(
    expect.arrayContaining([
      'passport_redis_memory_used_bytes 5',
      'passport_redis_memory_limit_bytes 9',
      'passport_redis_replicas 1',
      'passport_redis_min_replicas 1',
      'passport_redis_info{version="8.0.1",policy="noeviction",aof="yes"} 1',
    ]),
  );
  const other = arrange();
  const managed = { ...REDIS, memoryLimitBytes: null, policy: null, keepsAof: null };
  redisMetrics(other.registry, () => Promise.resolve(managed));
  const lines = await other.text();
  expect(lines).not.toMatch(/^passport_redis_memory_limit_bytes /m);
  expect(lines).toContain('passport_redis_info{version="8.0.1",policy="",aof=""} 1');
});

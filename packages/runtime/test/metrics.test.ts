import { expect, test } from '@jest/globals';
import {
  createMetrics,
  eventMetrics,
  jobMetrics,
  kohaMetrics,
  queueMetrics,
  redisMetrics,
} from '@passport/runtime';

const NONE = { libraries: [], outcomes: [], results: [] };

async function arrange() {
  const registry = createMetrics({ process: 'worker', processMetrics: false });
  return { registry, text: () => registry.metrics() };
}

test('every metric of contract section 7 is there, with its type and labels', async () => {
  const { registry, text } = await arrange();
  eventMetrics(registry, NONE).received('riverside', 'accepted');
  const jobs = jobMetrics(registry, NONE);
  jobs.ended('riverside', 'COPIED');
  jobs.copied('riverside', 0.8);
  jobs.step('locate', 0.2);
  const koha = kohaMetrics(registry);
  koha.request({ library: 'midland', operation: 'findByCard', status: '200', seconds: 0.05 });
  koha.circuitOpen('midland', true);
  koha.inFlight('midland', () => 3);
  queueMetrics(
    registry,
    () => Promise.resolve({ jobs: { wait: 4, failed: 1 }, oldestSeconds: 12.5, backlogs: { riverside: 5 } }),
    { riverside: 10_000 },
  );
  const lines = (await text()).split('\n').filter((line) => !line.startsWith('# HELP'));
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE passport_events_total counter',
      'passport_events_total{library="riverside",result="accepted"} 1',
      '# TYPE passport_jobs_total counter',
      'passport_jobs_total{library="riverside",outcome="COPIED"} 1',
      '# TYPE passport_scan_to_copy_seconds histogram',
      'passport_scan_to_copy_seconds_bucket{le="0.5",library="riverside"} 0',
      'passport_scan_to_copy_seconds_bucket{le="1",library="riverside"} 1',
      '# TYPE passport_step_seconds histogram',
      'passport_step_seconds_count{step="locate"} 1',
      '# TYPE passport_koha_requests_total counter',
      'passport_koha_requests_total{library="midland",operation="findByCard",status="200"} 1',
      '# TYPE passport_koha_request_seconds histogram',
      'passport_koha_request_seconds_count{library="midland",operation="findByCard"} 1',
      '# TYPE passport_queue_jobs gauge',
      'passport_queue_jobs{state="wait"} 4',
      'passport_queue_jobs{state="failed"} 1',
      '# TYPE passport_queue_oldest_seconds gauge',
      'passport_queue_oldest_seconds 12.5',
      'passport_library_backlog{library="riverside"} 5',
      'passport_library_backlog_limit{library="riverside"} 10000',
      'passport_redis_up 1',
      'passport_process_info{process="worker"} 1',
      '# TYPE passport_library_open gauge',
      'passport_library_open{library="midland"} 1',
      '# TYPE passport_library_in_flight gauge',
      'passport_library_in_flight{library="midland"} 3',
    ]),
  );
});

test('all queue gauges come from one reading', async () => {
  const { registry, text } = await arrange();
  let reads = 0;
  queueMetrics(
    registry,
    () => {
      reads += 1;
      return Promise.resolve({ jobs: { wait: reads }, oldestSeconds: reads, backlogs: {} });
    },
    {},
  );
  expect(await text()).toContain('passport_queue_jobs{state="wait"} 1\n');
  expect(await text()).toContain('passport_queue_oldest_seconds 2\n');
  expect(reads).toBe(2);
});

test('a queue that cannot be read leaves its gauges out, the others in, and says so', async () => {
  const { registry, text } = await arrange();
  let away = false;
  const reading = { jobs: { wait: 1 }, oldestSeconds: 1, backlogs: { riverside: 1 } };
  queueMetrics(registry, () => (away ? Promise.reject(new Error('no Redis')) : Promise.resolve(reading)), {});
  eventMetrics(registry, NONE).received('riverside', 'accepted');
  expect(await text()).toContain('passport_queue_oldest_seconds 1');
  away = true;
  const after = await text();
  expect(after).not.toMatch(/^passport_(queue|library_backlog)\w*[{ ]/m);
  expect(after).toContain('passport_redis_up 0\n');
  expect(after).toContain('passport_events_total{library="riverside",result="accepted"} 1');
});

test('what an alert looks for is there from the start, at zero', async () => {
  const { registry, text } = await arrange();
  eventMetrics(registry, { libraries: ['riverside'], results: ['unavailable'] });
  jobMetrics(registry, { libraries: ['riverside'], outcomes: ['MISCONFIGURED'] });
  const lines = (await text()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'passport_events_total{library="riverside",result="unavailable"} 0',
      'passport_jobs_total{library="riverside",outcome="MISCONFIGURED"} 0',
      'passport_limit_reached_total{library="riverside",limit="copies"} 0',
      'passport_limit_reached_total{library="riverside",limit="misses"} 0',
      'passport_limit_reached_total{library="riverside",limit="verdicts"} 0',
    ]),
  );
});

test('calls in flight are those of the moment at which Prometheus asks', async () => {
  const { registry, text } = await arrange();
  let calls = 0;
  kohaMetrics(registry).inFlight('midland', () => calls);
  for (calls of [2, 0]) {
    expect(await text()).toContain(`passport_library_in_flight{library="midland"} ${calls}\n`);
  }
});

const REDIS = { version: '8.0.1', memoryUsedBytes: 5, memoryLimitBytes: 9, replicas: 1 };

test('Redis is told by its figures; what it does not tell is left out', async () => {
  const { registry, text } = await arrange();
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
  const other = await arrange();
  const managed = { ...REDIS, memoryLimitBytes: null, policy: null, keepsAof: null };
  redisMetrics(other.registry, () => Promise.resolve(managed));
  const told = await other.text();
  expect(told).not.toMatch(/^passport_redis_memory_limit_bytes /m);
  expect(told).toContain('passport_redis_info{version="8.0.1",policy="",aof=""} 1');
});

test('a Koha that answers every status there can be makes few series', async () => {
  const { registry, text } = await arrange();
  const koha = kohaMetrics(registry);
  for (let status = 200; status <= 999; status += 1) {
    koha.request({ library: 'midland', operation: 'GET /patrons', status: `${status}`, seconds: 0 });
  }
  koha.request({ library: 'midland', operation: 'GET /patrons', status: 'timeout', seconds: 0 });

  const told = await text();
  for (const status of ['200', '409', '503', '5xx', '9xx', 'timeout'])
    expect(told).toContain(`status="${status}"`);
  expect(told.match(/^passport_koha_requests_total\{/gm)?.length).toBeLessThan(80);
});

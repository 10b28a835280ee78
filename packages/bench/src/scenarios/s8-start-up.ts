import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from '@passport/testkit';
import { preciseNow } from '../clock.ts';
import { residentMb } from '../resident-mb.ts';
import { ratioRow } from '../row.ts';
import type { Row } from '../row.ts';
import { startBench } from '../start-bench.ts';
import { median } from '../statistics.ts';

const ROUNDS = 7;
const SETTLE_MS = 1_000;

interface Start {
  readonly ms: number;
  readonly mb: number;
}

/** From process start to `/readyz`, and memory at rest, against a bare process that imports fastify and bullmq. */
export async function measureStartUp(): Promise<readonly Row[]> {
  const bench = await startBench({
    latencyMs: 0,
    homes: [{ id: 'home', prefix: '21234', patrons: 0 }],
    receivers: 1,
    workers: 1,
  });
  const starts = { bare: [] as Start[], receiver: [] as Start[], worker: [] as Start[] };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      starts.bare.push(await startBare());
      for (const name of ['receiver', 'worker'] as const) {
        const [service] = name === 'receiver' ? bench.services.receivers : bench.services.workers;
        if (service === undefined) throw new Error(`there is no ${name}`);
        await service.kill();
        const startedAt = preciseNow();
        await service.restart();
        const ms = preciseNow() - startedAt;
        await sleep(SETTLE_MS);
        starts[name].push({ ms, mb: await residentMb(service.pid) });
      }
    }
  } finally {
    await bench.stop();
  }
  const read = (name: keyof typeof starts, key: keyof Start) =>
    median(starts[name].map((start) => start[key]));
  return (['receiver', 'worker'] as const).flatMap((name) => [
    ratioRow(
      {
        scenario: 'S8',
        what: `${name} ready`,
        unit: 'ms',
        ours: read(name, 'ms'),
        against: read('bare', 'ms'),
      },
      { atMost: 2 },
    ),
    ratioRow(
      {
        scenario: 'S8',
        what: `${name} at rest`,
        unit: 'MB',
        ours: read(name, 'mb'),
        against: read('bare', 'mb'),
      },
      { atMost: 1.3 },
    ),
  ]);
}

async function startBare(): Promise<Start> {
  const port = await freePort();
  const program = fileURLToPath(new URL('../processes/bare-node.js', import.meta.url));
  const startedAt = preciseNow();
  const bare = await startProcess({
    command: process.execPath,
    args: ['--enable-source-maps', program, String(port)],
    readyWhen: async () => (await fetch(`http://127.0.0.1:${port}/`)).ok,
  });
  const ms = preciseNow() - startedAt;
  await sleep(SETTLE_MS);
  const mb = await residentMb(bare.pid);
  await bare.stop(1_000);
  return { ms, mb };
}

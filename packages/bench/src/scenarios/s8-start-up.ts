import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from '@passport/testkit';
import { preciseNow } from '../clock.ts';
import { residentMb } from '../process-figures.ts';
import { ratioRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { startBench } from '../start-bench.ts';

const SETTLE_MS = 1_000;
/** Often enough that the wait for the next look is no part of the figure. */
const PROBE_EVERY_MS = 3;

interface Start {
  readonly ms: number;
  readonly mb: number;
}

/** From process start to `/readyz`, and memory while idle, against a bare process that imports fastify and bullmq. */
export async function measureStartUp(run: Run): Promise<readonly Row[]> {
  const bench = await startBench({
    latencyMs: 0,
    homes: [{ id: 'home', prefix: '21234', patrons: 0 }],
    receivers: 1,
    workers: 1,
    probeEveryMs: PROBE_EVERY_MS,
  });
  const starts = { bare: [] as Start[], receiver: [] as Start[], worker: [] as Start[] };
  try {
    const rounds = many(run, 7, 1);
    for (let round = 1; round <= rounds; round += 1) {
      run.progress(`round ${round} of ${rounds}`);
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
  const rounds = (name: 'receiver' | 'worker', key: keyof Start): readonly Round[] =>
    starts.bare.map((bare, place) => ({
      ours: starts[name][place]?.[key] ?? Number.NaN,
      against: bare[key],
    }));
  return (['receiver', 'worker'] as const).flatMap((name) => [
    ratioRow(
      { scenario: 'S8', what: `${name} ready`, unit: 'ms', rounds: rounds(name, 'ms') },
      { atMost: 1.5 },
    ),
    ratioRow(
      { scenario: 'S8', what: `memory of the idle ${name}`, unit: 'MB', rounds: rounds(name, 'mb') },
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
    probeEveryMs: PROBE_EVERY_MS,
  });
  const ms = preciseNow() - startedAt;
  await sleep(SETTLE_MS);
  const mb = await residentMb(bare.pid);
  await bare.stop(1_000);
  return { ms, mb };
}

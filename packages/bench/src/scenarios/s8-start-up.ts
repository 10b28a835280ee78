import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from '@passport/testkit';
import { preciseNow, residentMb } from '../figures.ts';
import { ratioRow, type Measured } from '../row.ts';
import { inRounds, type Run } from '../scenario.ts';
import { withBench, type Stack } from '../start-stack.ts';

const SETTLE_MS = 1_000;
/** Often enough that the wait for the next look is no part of the figure. */
const PROBE_EVERY_MS = 3;
const SERVICES = ['receiver', 'worker'] as const;

interface Start {
  readonly ms: number;
  readonly mb: number;
}

/** From process start to `/readyz`, and memory while idle, against a bare process that imports fastify and bullmq. */
export async function measureStartUp(run: Run): Promise<readonly Measured[]> {
  const starts = await withBench({ isWatched: false, scans: 0, probeEveryMs: PROBE_EVERY_MS }, (bench) =>
    inRounds(run, 7, async () => ({
      bare: await startBare(),
      receiver: await restart(bench.receiver),
      worker: await restart(bench.worker),
    })),
  );
  const measure = (what: string, name: (typeof SERVICES)[number], unit: 'ms' | 'MB', key: keyof Start) => ({
    what,
    unit,
    rounds: starts.map((start) => ({ ours: start[name][key], against: start.bare[key] })),
  });
  return SERVICES.flatMap((name) => [
    ratioRow(measure(`${name} ready`, name, 'ms', 'ms'), { atMost: 1.5 }),
    ratioRow(measure(`memory of the idle ${name}`, name, 'MB', 'mb'), { atMost: 1.3 }),
  ]);
}

async function restart(service: Stack['worker']): Promise<Start> {
  await service.kill();
  const startedAt = preciseNow();
  await service.restart();
  return idle(startedAt, service.pid);
}

/** A process that is ready now. */
async function idle(startedAt: number, pid: number): Promise<Start> {
  const ms = preciseNow() - startedAt;
  await sleep(SETTLE_MS);
  return { ms, mb: await residentMb(pid) };
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
  const start = await idle(startedAt, bare.pid);
  await bare.stop(1_000);
  return start;
}

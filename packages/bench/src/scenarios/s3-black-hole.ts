import { setTimeout as sleep } from 'node:timers/promises';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { ratioRow } from '../row.ts';
import type { Row } from '../row.ts';
import { startBench } from '../start-bench.ts';
import type { Bench } from '../start-bench.ts';
import { percentile } from '../statistics.ts';

const EVENTS = 100;
const DEAD_EVERY = 5;
const WARM_UP = 20;
const PAUSE_MS = 40;
/** The default deadline of a call. */
const DEADLINE_MS = 3_000;

/** One library of five accepts and never answers: what becomes of the others' scans, and of its own. */
export async function measureBlackHole(): Promise<readonly Row[]> {
  const homes = [0, 1, 2, 3, 4].map((place) => ({
    id: `home-${place}`,
    prefix: String(21_000 + place),
    patrons: 200,
  }));
  const bench = await startBench({ latencyMs: 50, isWatched: true, homes, items: 1_000 });
  try {
    const next = { item: 0, card: homes.map(() => 0) };
    const scan = async (place: number) => {
      const index = next.card[place] ?? 0;
      next.card[place] = index + 1;
      next.item += 1;
      const prefix = homes[place]?.prefix ?? '';
      return bench.scan({ cardnumber: cardOf(prefix, index), item_barcode: barcodeOf(next.item) });
    };
    await runMixed(bench, WARM_UP, scan);
    const alive = await runMixed(bench, EVENTS, scan);
    await bench.kohas.control('home-4', 'POST', 'faults', [{ operation: '*', kind: 'hang', times: 100_000 }]);
    const dead = await runMixed(bench, EVENTS, scan, true);
    const measure = { scenario: 'S3', unit: 'ms' };
    return [
      ratioRow(
        {
          ...measure,
          what: 'scans of the four others, 99th percentile',
          ours: percentile(dead.routed, 0.99),
          against: percentile(alive.routed, 0.99),
        },
        { atMost: 1.2 },
      ),
      ratioRow(
        {
          ...measure,
          what: 'the dead one named as waited for, latest',
          ours: Math.max(...dead.waits),
          against: DEADLINE_MS,
        },
        { atMost: 1.1 },
      ),
    ];
  } finally {
    await bench.stop();
  }
}

/** Scans of four libraries with one of the fifth after every five, each at its time whatever became of the others. */
async function runMixed(
  bench: Bench,
  events: number,
  scan: (place: number) => Promise<{ id: string; sentAt: number }>,
  isDead = false,
): Promise<{ routed: number[]; waits: number[] }> {
  const routed: Promise<number>[] = [];
  const waits: Promise<number>[] = [];
  const until = async (sent: Promise<{ id: string; sentAt: number }>, what: 'ended' | 'waiting') => {
    const { id, sentAt } = await sent;
    return (await bench.kohas[what](id)).at - sentAt;
  };
  for (let index = 0; index < events; index += 1) {
    routed.push(until(scan(index % 4), 'ended'));
    if (index % DEAD_EVERY === 0) waits.push(until(scan(4), isDead ? 'waiting' : 'ended'));
    await sleep(PAUSE_MS);
  }
  return { routed: await Promise.all(routed), waits: await Promise.all(waits) };
}

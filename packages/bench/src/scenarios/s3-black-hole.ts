import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../figures.ts';
import { ratioRow, type Measured, type Round } from '../row.ts';
import { inRounds, many, type Run } from '../scenario.ts';
import { scanOf, withBench, type Stack } from '../stack.ts';

/** Of five homes the last one dies. */
const HOMES = [0, 1, 2, 3, 4].map((place) => ({
  id: `home-${place}`,
  prefix: String(21_000 + place),
  patrons: 400,
}));
const DEAD = 4;
const DEAD_EVERY = 5;
const LATENCY_MS = 50;
const PAUSE_MS = 40;
/** The default deadline of a call. */
const DEADLINE_MS = 3_000;

interface RoundOfAll {
  readonly others: Round;
  /** Until the desk has been notified that the dead library is waited for; the latest. */
  readonly named: number;
}

/** One library of five accepts and never answers: what becomes of the others' scans, and of its own. */
export async function measureBlackHole(run: Run): Promise<readonly Measured[]> {
  const rounds = await inRounds(run, 3, () => measureRound(run));
  const others = rounds.map((each) => each.others);
  const named = rounds.map((round) => ({ ours: round.named, against: DEADLINE_MS }));
  return [
    ratioRow(
      { what: 'scans of the four others, 99th percentile', unit: 'ms', rounds: others },
      { atMost: 1.2 },
    ),
    ratioRow(
      { what: 'the dead one named as waited for, latest', unit: 'ms', rounds: named },
      { atMost: 1.1 },
    ),
  ];
}

function measureRound(run: Run): Promise<RoundOfAll> {
  return withBench({ latencyMs: LATENCY_MS, homes: HOMES, scans: 1_000 }, async (bench) => {
    const cards = HOMES.map(() => 0);
    let item = 0;
    const scan = (place: number) => {
      const index = cards[place] ?? 0;
      cards[place] = index + 1;
      item += 1;
      return bench.scan(scanOf(index, HOMES[place]?.prefix, item));
    };
    const events = many(run, 80, 10);
    await runMixed(bench, many(run, 60, 5), scan);
    const alive = await runMixed(bench, events, scan);
    const hang = { operation: '*', kind: 'hang', times: 100_000 };
    await bench.kohas.control(`home-${DEAD}`, 'POST', 'faults', [hang]);
    const dead = await runMixed(bench, events, scan, true);
    return {
      others: { ours: percentile(dead.routed, 0.99), against: percentile(alive.routed, 0.99) },
      named: Math.max(...dead.waits),
    };
  });
}

/** Scans of four libraries with one of the fifth after every five, each at its time whatever the outcome of the others. */
async function runMixed(
  { kohas }: Stack,
  events: number,
  scan: (place: number) => ReturnType<Stack['scan']>,
  isDead = false,
): Promise<{ routed: number[]; waits: number[] }> {
  const routed: Promise<number>[] = [];
  const waits: Promise<number>[] = [];
  const until = async (sent: ReturnType<Stack['scan']>, what: 'ended' | 'waiting') => {
    const { id, sentAt } = await sent;
    return (await kohas[what](id)) - sentAt;
  };
  for (let index = 0; index < events; index += 1) {
    routed.push(until(scan(index % DEAD), 'ended'));
    if (index % DEAD_EVERY === 0) waits.push(until(scan(DEAD), isDead ? 'waiting' : 'ended'));
    await sleep(PAUSE_MS);
  }
  return { routed: await Promise.all(routed), waits: await Promise.all(waits) };
}

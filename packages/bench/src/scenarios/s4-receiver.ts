import { fileURLToPath } from 'node:url';
import { freePort, startProcess, startRedis } from '@passport/testkit';
import type { StartedProcess } from '@passport/testkit';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { differenceRow, ratioRow } from '../row.ts';
import type { Row } from '../row.ts';
import { buildRequests, sendLoad } from '../signed-load.ts';
import { LENDING, startBench } from '../start-bench.ts';
import { median, percentile } from '../statistics.ts';

const ROUNDS = 5;
const EVENTS = 10_000;
const CONNECTIONS = 50;
const STEADY_PER_SECOND = 1_000;
const STEADY_EVENTS = 10_000;

interface Contestant {
  readonly url: string;
  /** Empties its Redis, so that each round starts alike. */
  reset(): Promise<unknown>;
  stop(): Promise<unknown>;
}

/** Signed events per second, against a bare receiver and against the usual way to the same promises. */
export async function measureReceiver(): Promise<readonly Row[]> {
  const bench = await startBench({
    latencyMs: 0,
    homes: [{ id: 'home', prefix: '21234', patrons: 0 }],
    workers: 0,
  });
  const contestants = [
    {
      url: `${bench.services.receivers[0]?.url}/webhooks/${LENDING}`,
      reset: () => bench.redis.ask('FLUSHALL'),
      stop: () => bench.stop(),
    },
    await startPeer('bare-receiver', bench.secret),
    await startPeer('usual-receiver', bench.secret),
  ] as const;
  let made = 0;
  const make = (url: string, count: number) => {
    const from = made;
    made += count;
    return buildRequests({ url, secret: bench.secret, count, data: (index) => scanOf(from + index) });
  };
  try {
    const rates: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [place, { url, reset }] of contestants.entries()) {
        await reset();
        const { seconds, refused } = await sendLoad(url, make(url, EVENTS), { connections: CONNECTIONS });
        if (refused > 0) throw new Error(`${refused} events were refused by ${url}`);
        if (round > 0) rates[place]?.push(EVENTS / seconds);
      }
    }
    const steady: number[] = [];
    for (const { url, reset } of contestants.slice(0, 2)) {
      await reset();
      const requests = make(url, STEADY_EVENTS);
      const load = await sendLoad(url, requests, { connections: CONNECTIONS, perSecond: STEADY_PER_SECOND });
      steady.push(percentile(load.latenciesMs, 0.99));
    }
    const [ours, bare, usual] = rates.map(median);
    return buildRows(ours ?? 0, bare ?? 0, usual ?? 0, steady);
  } finally {
    await Promise.all(contestants.map(({ stop }) => stop()));
  }
}

function buildRows(ours: number, bare: number, usual: number, steady: readonly number[]): readonly Row[] {
  const measure = { scenario: 'S4', unit: 'events/s', ours };
  const [p99 = 0, bareP99 = 0] = steady;
  return [
    ratioRow({ ...measure, what: 'signed events, against bare', against: bare }, { atLeast: 0.5 }),
    ratioRow({ ...measure, what: 'signed events, against the usual way', against: usual }, { atLeast: 2 }),
    {
      ...differenceRow(
        {
          scenario: 'S4',
          what: '99th percentile at 1,000 events/s, AOF always',
          unit: 'ms',
          ours: p99,
          against: bareP99,
        },
        { atMost: 10 },
      ),
      target: '≤ 10 ms in all',
      met: p99 <= 10,
    },
  ];
}

const scanOf = (index: number) => ({ cardnumber: cardOf('21234', index), item_barcode: barcodeOf(index) });

async function startPeer(name: string, secret: string): Promise<Contestant> {
  const redis = await startRedis({ appendonly: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const peer: StartedProcess = await startProcess({
    command: process.execPath,
    args: [
      fileURLToPath(new URL(`../processes/${name}.js`, import.meta.url)),
      String(redis.port),
      String(port),
      secret,
    ],
    env: { NODE_ENV: 'production' },
    readyWhen: async () => (await fetch(`${url}/readyz`)).ok,
  });
  return {
    url: `${url}/webhooks/${LENDING}`,
    reset: () => redis.ask('FLUSHALL'),
    stop: async () => {
      await peer.stop(1_000);
      await redis.stop();
    },
  };
}

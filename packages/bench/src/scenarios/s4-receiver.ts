import { fileURLToPath } from 'node:url';
import { freePort, startProcess, startRedis } from '@passport/testkit';
import { percentile } from '../figures.ts';
import { buildRequests, sendLoad } from '../load.ts';
import { ratioRow, type Measured } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';
import { LENDING, scanOf, startBench } from '../start-stack.ts';

const CONNECTIONS = 50;
const STEADY_PER_SECOND = 1_000;

interface Contestant {
  readonly url: string;
  /** Empties its Redis, so that each round starts alike. */
  reset(): Promise<unknown>;
  stop(): Promise<unknown>;
}

type Send = (to: Contestant, count: number, perSecond?: number) => ReturnType<typeof sendLoad>;

/** Signed events per second, against a bare receiver and against the usual way to the same promises. */
export async function measureReceiver(run: Run): Promise<readonly Measured[]> {
  const contestants: Contestant[] = [];
  const join = (contestant: Contestant): Contestant => {
    contestants.push(contestant);
    return contestant;
  };
  try {
    const bench = await startBench({ hasNoLimits: true, isWatched: false, scans: 0, workers: 0 });
    const secret = bench.secretOf(LENDING);
    const ours = join({
      url: `${bench.receiver.url}/webhooks/${LENDING}`,
      reset: () => bench.redis.call('FLUSHALL'),
      stop: () => bench.stop(),
    });
    const bare = join(await startPeer('bare-receiver', secret));
    const usual = join(await startPeer('usual-receiver', secret));
    const send = buildSend(secret);
    return [
      ...(await measureRates(run, send, [ours, bare, usual])),
      await measureSteady(run, send, [ours, bare]),
    ];
  } finally {
    await Promise.all(contestants.map(({ stop }) => stop()));
  }
}

async function measureRates(
  run: Run,
  send: Send,
  contestants: readonly Contestant[],
): Promise<readonly Measured[]> {
  const events = many(run, 4_500, 500);
  const ratesOfAll = (): Promise<number[]> =>
    repeat(contestants.length, async (place) => {
      const contestant = contestants[place] as Contestant;
      await contestant.reset();
      return events / (await send(contestant, events)).seconds;
    });
  run.progress('rates, warming up');
  // The first round only compiles what the others run.
  await ratesOfAll();
  const rates = await inRounds(run, 3, ratesOfAll, 'rates');
  const measure = (what: string, peer: number) => ({
    what: `signed events, against ${what}`,
    unit: 'events/s',
    rounds: rates.map((all) => ({ ours: all[0] ?? Number.NaN, against: all[peer] ?? Number.NaN })),
  });
  return [
    ratioRow(measure('bare Fastify and queue.add', 1), { atLeast: 0.42 }),
    ratioRow(measure('the usual way', 2), { atLeast: 2 }),
  ];
}

/** At a steady rate, in slices that alternate: what else the machine does meets both alike. */
async function measureSteady(
  run: Run,
  send: Send,
  both: readonly [Contestant, Contestant],
): Promise<Measured> {
  const events = many(run, 1_500, 300);
  const steady = async (to: Contestant) => (await send(to, events, STEADY_PER_SECOND)).latenciesMs;
  await Promise.all(both.map((each) => each.reset()));
  const [ours, bare] = both;
  const slices = await inRounds(
    run,
    6,
    async () => ({ ours: await steady(ours), against: await steady(bare) }),
    `${STEADY_PER_SECOND} events/s`,
  );
  const slowest = (of: readonly (typeof slices)[number][]) => ({
    ours: percentile(
      of.flatMap((slice) => slice.ours),
      0.99,
    ),
    against: percentile(
      of.flatMap((slice) => slice.against),
      0.99,
    ),
  });
  const what = '99th percentile at 1,000 events/s, AOF always, against bare';
  const rounds = slices.map((slice) => slowest([slice]));
  return ratioRow({ what, unit: 'ms', rounds, all: slowest(slices) }, { atMost: 2 });
}

/** Every event that is sent has a card and an id of its own. */
function buildSend(secret: string): Send {
  let made = 0;
  return ({ url }, count, perSecond) => {
    const from = made;
    made += count;
    const requests = buildRequests({ url, secret, count, data: (index) => scanOf(from + index) });
    return sendLoad(url, requests, { connections: CONNECTIONS, perSecond });
  };
}

async function startPeer(name: string, secret: string): Promise<Contestant> {
  const redis = await startRedis({ appendonly: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = fileURLToPath(new URL(`../processes/${name}.js`, import.meta.url));
  const peer = await startProcess({
    command: process.execPath,
    args: [program, String(redis.port), String(port), secret],
    env: { NODE_ENV: 'production' },
    readyWhen: async () => (await fetch(`${url}/readyz`)).ok,
  });
  return {
    url: `${url}/webhooks/${LENDING}`,
    reset: () => redis.call('FLUSHALL'),
    stop: async () => {
      await peer.stop(1_000);
      await redis.stop();
    },
  };
}

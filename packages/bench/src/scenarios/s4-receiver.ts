import { freePort, startRedis } from '@passport/testkit';
import { percentile } from '../figures.ts';
import { buildRequests, sendLoad } from '../load.ts';
import { ratioRow, type Measured } from '../row.ts';
import { inRounds, many, type Run } from '../scenario.ts';
import { LENDING, withBench } from '../stack.ts';
import { startPeer } from '../start-peer.ts';

const STEADY_PER_SECOND = 1_000;

interface Contestant {
  readonly url: string;
  /** Empties its Redis, so that each round starts alike. */
  reset(): Promise<unknown>;
}

type Send = (to: Contestant, count: number, perSecond?: number) => ReturnType<typeof sendLoad>;

/** Signed events per second, against a bare receiver. */
export function measureReceiver(run: Run): Promise<readonly Measured[]> {
  return withBench({ hasNoLimits: true, isWatched: false, scans: 0, workers: 0 }, async (bench) => {
    const ours = {
      url: `${bench.receiver.url}/webhooks/${LENDING}`,
      reset: () => bench.redis.call('FLUSHALL'),
    };
    const redis = await startRedis({ appendonly: true });
    const port = await freePort();
    const peer = await startPeer('bare-receiver', String(redis.port), String(port));
    const bare = {
      url: `http://127.0.0.1:${port}/webhooks/${LENDING}`,
      reset: () => redis.call('FLUSHALL'),
    };
    let made = 0;
    /** Every event that is sent has a card and an id of its own. */
    const send: Send = ({ url }, count, perSecond) => {
      const requests = buildRequests(url, bench.secretOf(LENDING), made, count);
      made += count;
      return sendLoad(url, requests, perSecond);
    };
    try {
      return [await measureRates(run, send, ours, bare), await measureSteady(run, send, ours, bare)];
    } finally {
      await peer.stop(1_000);
      await redis.stop();
    }
  });
}

async function measureRates(run: Run, send: Send, ours: Contestant, bare: Contestant): Promise<Measured> {
  const events = many(run, 4_500, 500);
  const rateOf = async (contestant: Contestant): Promise<number> => {
    await contestant.reset();
    return events / (await send(contestant, events)).seconds;
  };
  const both = async () => ({ ours: await rateOf(ours), against: await rateOf(bare) });
  run.progress('rates, warming up');
  // The first round only compiles what the others run.
  await both();
  const rounds = await inRounds(run, 3, both, 'rates, round');
  const what = 'signed events, against bare Fastify and queue.add';
  return ratioRow({ what, unit: 'events/s', rounds }, { atLeast: 0.42 });
}

/** At a steady rate, in slices that alternate: what else the machine does meets both alike. */
async function measureSteady(run: Run, send: Send, ours: Contestant, bare: Contestant): Promise<Measured> {
  const events = many(run, 1_500, 300);
  const steady = async (to: Contestant) => (await send(to, events, STEADY_PER_SECOND)).latenciesMs;
  await Promise.all([ours.reset(), bare.reset()]);
  const slices = await inRounds(
    run,
    6,
    async () => ({ ours: await steady(ours), against: await steady(bare) }),
    `${STEADY_PER_SECOND} events/s, slice`,
  );
  const slowest = (of: typeof slices) => ({
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

import { fileURLToPath } from 'node:url';
import { freePort, startProcess, startRedis } from '@passport/testkit';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { ratioRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { buildRequests, sendLoad } from '../signed-load.ts';
import { LENDING, startBench } from '../start-bench.ts';
import { percentile } from '../statistics.ts';

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
export async function measureReceiver(run: Run): Promise<readonly Row[]> {
  const contestants: Contestant[] = [];
  try {
    const { secret, ours } = await startOurs();
    contestants.push(ours);
    const bare = await startPeer('bare-receiver', secret);
    contestants.push(bare);
    const usual = await startPeer('usual-receiver', secret);
    contestants.push(usual);
    const send = buildSend(secret);
    return [
      ...(await measureRates(run, send, ours, { bare, usual })),
      await measureSteady(run, send, ours, bare),
    ];
  } finally {
    await Promise.all(contestants.map(({ stop }) => stop()));
  }
}

async function measureRates(
  run: Run,
  send: Send,
  ours: Contestant,
  { bare, usual }: { readonly bare: Contestant; readonly usual: Contestant },
): Promise<readonly Row[]> {
  const events = many(run, 4_500, 500);
  const total = many(run, 3, 1);
  const againstBare: Round[] = [];
  const againstUsual: Round[] = [];
  const rateOf = async (contestant: Contestant): Promise<number> => {
    await contestant.reset();
    return events / (await send(contestant, events)).seconds;
  };
  // The first round only compiles what the others run.
  for (let round = 0; round <= total; round += 1) {
    run.progress(`rates, round ${round} of ${total}`);
    const rates = { ours: await rateOf(ours), bare: await rateOf(bare), usual: await rateOf(usual) };
    if (round === 0) continue;
    againstBare.push({ ours: rates.ours, against: rates.bare });
    againstUsual.push({ ours: rates.ours, against: rates.usual });
  }
  const measure = { scenario: 'S4', unit: 'events/s' };
  return [
    ratioRow(
      { ...measure, what: 'signed events, against bare Fastify and queue.add', rounds: againstBare },
      { atLeast: 0.42 },
    ),
    ratioRow(
      { ...measure, what: 'signed events, against the usual way', rounds: againstUsual },
      { atLeast: 2 },
    ),
  ];
}

/** At a steady rate, in slices that alternate: what else the machine does meets both alike. */
async function measureSteady(run: Run, send: Send, ours: Contestant, bare: Contestant): Promise<Row> {
  const events = many(run, 1_500, 300);
  const slices = many(run, 6, 1);
  const all: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  const rounds: Round[] = [];
  await Promise.all([ours.reset(), bare.reset()]);
  while (rounds.length < slices) {
    run.progress(`${STEADY_PER_SECOND} events/s, slice ${rounds.length + 1} of ${slices}`);
    const a = (await send(ours, events, STEADY_PER_SECOND)).latenciesMs;
    const b = (await send(bare, events, STEADY_PER_SECOND)).latenciesMs;
    all.ours.push(...a);
    all.bare.push(...b);
    rounds.push({ ours: percentile(a, 0.99), against: percentile(b, 0.99) });
  }
  return ratioRow(
    {
      scenario: 'S4',
      what: '99th percentile at 1,000 events/s, AOF always, against bare',
      unit: 'ms',
      rounds,
      all: { ours: percentile(all.ours, 0.99), against: percentile(all.bare, 0.99) },
    },
    { atMost: 2 },
  );
}

/** Every event that is sent has a card and an id of its own. */
function buildSend(secret: string): Send {
  let made = 0;
  return async ({ url }, count, perSecond) => {
    const from = made;
    made += count;
    const data = (index: number) => ({
      cardnumber: cardOf('21234', from + index),
      item_barcode: barcodeOf(from + index),
    });
    const requests = buildRequests({ url, secret, count, data });
    const load = await sendLoad(url, requests, {
      connections: CONNECTIONS,
      ...(perSecond === undefined ? {} : { perSecond }),
    });
    if (load.refused > 0) throw new Error(`${load.refused} events were refused by ${url}`);
    return load;
  };
}

async function startOurs(): Promise<{ readonly secret: string; readonly ours: Contestant }> {
  const bench = await startBench({
    latencyMs: 0,
    hasNoLimits: true,
    homes: [{ id: 'home', prefix: '21234', patrons: 0 }],
    workers: 0,
  });
  return {
    secret: bench.secretOf(LENDING),
    ours: {
      url: `${bench.services.receivers[0]?.url}/webhooks/${LENDING}`,
      reset: () => bench.redis.call('FLUSHALL'),
      stop: () => bench.stop(),
    },
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

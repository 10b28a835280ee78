import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  openRaw,
  seededRandom,
  signedRequest,
  startRedis,
  waitFor,
  type StartedRedis,
} from '@passport/testkit';
import { PLANTED } from '../harness/fuzz-body.ts';
import { buildFuzzRequest, type FuzzRequest } from '../harness/fuzz-request.ts';
import { startReceiver, type LoneReceiver } from '../harness/start-receiver.ts';

/** `PASSPORT_FUZZ=10000` is the whole form; `PASSPORT_FUZZ_SEED` repeats a run. */
const REQUESTS = Number(process.env['PASSPORT_FUZZ'] ?? 1_000);
const SEED = Number(process.env['PASSPORT_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Spreads the numbers of the requests, so that seeds next to each other make other runs. */
const GOLDEN = 0x9e37_79b1;
const AT_ONCE = 16;
/** All that the table of the contract has, and 408 for senders that stall. */
const ANSWERS = new Set([202, 400, 401, 404, 408, 409, 413, 415, 422, 429, 503]);
/** Slow senders are cut off after 10 s. */
const PATIENCE_MS = 25_000;
const MOST_GROWTH_BYTES = 32 * 1024 * 1024;

let redis: StartedRedis;
let receiver: LoneReceiver;
beforeAll(async () => {
  redis = await startRedis();
  receiver = await startReceiver({
    redisUrl: redis.url,
    env: { LOG_LEVEL: 'trace', NODE_OPTIONS: '--max-old-space-size=80' },
    entry: { limits: { events_per_second: 10_000, burst: 10_000, backlog: 100_000 } },
  });
}, 40_000);
afterAll(async () => {
  await receiver.stop();
  await redis.stop();
});

type Outcome = number | 'closed' | 'cut';

/** Sends one request; returns the status of its answer, or that the connection was closed without one. */
async function send({ pieces, end }: FuzzRequest): Promise<Outcome> {
  const connection = openRaw(receiver.port);
  try {
    for (const piece of pieces) {
      connection.write(piece);
      if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (end === 'cut') return 'cut';
    return await connection.answer().then(
      ({ status }) => status,
      () => 'closed' as const,
    );
  } finally {
    connection.close();
    await connection.closed;
  }
}

interface Finding {
  readonly seed: number;
  readonly request: number;
  readonly outcome: Outcome;
  readonly wanted: number | null;
}

const isWrong = ({ end, status }: FuzzRequest, outcome: Outcome): boolean => {
  if (end === 'cut') return false;
  if (outcome === 'closed') return end === 'whole';
  return outcome === 'cut' || !ANSWERS.has(outcome) || (status !== null && outcome !== status);
};

async function memoryBytes(): Promise<number> {
  const text = await (await fetch(`${receiver.adminUrl}/metrics`)).text();
  return Number(/^process_resident_memory_bytes(?:\{.*\})? (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

test(
  `${REQUESTS} requests of any kind (PASSPORT_FUZZ_SEED=${SEED}): no answer but those of the table, no crash, flat memory, nothing disclosed`,
  async () => {
    const tally: Record<string, number> = {};
    const findings: Finding[] = [];
    const stalled: Promise<void>[] = [];
    let next = 0;
    let early = Number.NaN;
    const run = async (n: number): Promise<void> => {
      const request = buildFuzzRequest(
        seededRandom(SEED ^ Math.imul(n, GOLDEN)),
        n,
        receiver.secrets.riverside,
      );
      const sent = send(request).then((outcome) => {
        tally[outcome] = (tally[outcome] ?? 0) + 1;
        if (isWrong(request, outcome))
          findings.push({ seed: SEED, request: n, outcome, wanted: request.status });
      });
      if (request.end === 'stalls') stalled.push(sent);
      else await sent;
    };
    const lane = async (): Promise<void> => {
      for (let n = next; n < REQUESTS; n = next) {
        next += 1;
        if (n === Math.floor(REQUESTS / 3)) early = await memoryBytes();
        await run(n);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    await Promise.all(stalled);

    console.log(`fuzz: seed ${SEED}, ${REQUESTS} requests, answers ${JSON.stringify(tally)}`);
    expect(findings).toEqual([]);
    expect(tally['503']).toBeUndefined();
    expect(tally['202']).toBeGreaterThan(REQUESTS / 50);
    const { body, headers } = signedRequest({ secret: receiver.secrets.riverside });
    const good = await fetch(`${receiver.url}/webhooks/riverside`, { method: 'POST', headers, body });
    expect(good.status).toBe(202);
    const grown = await waitFor('memory to be reported', async () => (await memoryBytes()) - early);
    expect(grown).toBeLessThan(MOST_GROWTH_BYTES);
    expect(await receiver.process.stop()).toEqual({ code: 0, signal: null });
    expect(receiver.process.output()).toContain('"result":"not_json"');
    expect(receiver.process.output()).not.toMatch(/"level":"(?:error|fatal)"|FATAL ERROR/);
    expect(receiver.process.output()).not.toContain(PLANTED);
  },
  REQUESTS * 60 + 2 * PATIENCE_MS,
);

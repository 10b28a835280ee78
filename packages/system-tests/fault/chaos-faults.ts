import { setTimeout as pause } from 'node:timers/promises';
import type { FaultDraft, KohaDouble } from '@passport/koha-double';
import type { RunningService, SeededRandom } from '@passport/testkit';
import type { Consortium } from '../harness/start-consortium.ts';
import { type ChaosLibrary, LIBRARIES } from './chaos-libraries.ts';

/** When something was broken, in milliseconds since the epoch. */
export interface FaultSpan {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One thing that can be broken; it ends healed. */
interface Breaker {
  readonly name: string;
  readonly weight: number;
  run(consortium: Consortium<ChaosLibrary>, random: SeededRandom): Promise<void>;
}

const between = (random: SeededRandom, least: number, most: number): number =>
  least + random.int(most - least + 1);

async function killed(service: RunningService, signal: NodeJS.Signals, awayMs: number): Promise<void> {
  await service.kill(signal);
  await pause(awayMs);
  await service.restart();
}

/** Longer than a job's lock: its twin starts meanwhile. */
const FROZEN_MS = 6_500;

/** What happens to our processes and Redis. */
export const PROCESS_BREAKERS: readonly Breaker[] = [
  {
    name: 'worker killed',
    weight: 5,
    run: ({ services }, random) => killed(random.pick(services.workers), 'SIGKILL', random.int(800)),
  },
  {
    name: 'worker stopped',
    weight: 2,
    run: ({ services }, random) => killed(random.pick(services.workers), 'SIGTERM', 0),
  },
  {
    name: 'worker frozen',
    weight: 1,
    async run({ services }, random) {
      const worker = random.pick(services.workers);
      worker.signal('SIGSTOP');
      await pause(FROZEN_MS);
      worker.signal('SIGCONT');
    },
  },
  {
    name: 'receiver killed',
    weight: 2,
    run: ({ services }, random) => killed(random.pick(services.receivers), 'SIGKILL', random.int(800)),
  },
  {
    name: 'receiver stopped',
    weight: 1,
    run: ({ services }, random) => killed(random.pick(services.receivers), 'SIGTERM', 0),
  },
  {
    name: 'Redis killed',
    weight: 2,
    async run({ redis }, random) {
      await redis.kill('SIGKILL');
      await pause(between(random, 100, 2_000));
      await redis.restart();
    },
  },
  {
    name: 'Redis frozen',
    weight: 1,
    async run({ redis }, random) {
      redis.freeze();
      await pause(between(random, 500, 4_000));
      redis.thaw();
    },
  },
];

const AWAY: readonly Omit<FaultDraft, 'operation'>[] = [
  { kind: 'hang' },
  { kind: 'reset_before' },
  { kind: 'html', status: 502 },
  { kind: 'status', status: 503, headers: { 'retry-after': '1' } },
];
const WRITES = [
  'POST /patrons',
  'POST /checkouts',
  'PUT /contrib/passport/scans/{event_id}/outcome',
  'GET /patrons',
  'PUT /patrons/{patron_id}',
  'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}',
];
const LOST: readonly Omit<FaultDraft, 'operation'>[] = [
  { kind: 'reset_after' },
  { kind: 'reset_before' },
  { kind: 'truncate' },
  { kind: 'html', status: 502, after: true },
  { kind: 'hang', after: true },
  { kind: 'delay', ms: 600 },
  { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  { kind: 'status', status: 500, body: { error: 'x', error_code: 'internal_server_error' } },
];

const anyKoha = ({ doubles }: Consortium<ChaosLibrary>, random: SeededRandom): KohaDouble =>
  doubles[random.pick(LIBRARIES)];

/** What happens to the libraries. */
export const LIBRARY_BREAKERS: readonly Breaker[] = [
  {
    name: 'library away',
    weight: 2,
    async run(consortium, random) {
      const koha = anyKoha(consortium, random);
      koha.addFaults([{ operation: '*', times: 1_000_000, ...random.pick(AWAY) }]);
      await pause(between(random, 500, 6_000));
      koha.clearFaults();
    },
  },
  {
    name: 'library slow',
    weight: 1,
    async run(consortium, random) {
      const koha = anyKoha(consortium, random);
      koha.putSettings({ latency_ms: between(random, 50, 300) });
      await pause(between(random, 500, 4_000));
      koha.putSettings({ latency_ms: 0 });
    },
  },
  {
    name: 'answers lost',
    weight: 5,
    async run(consortium, random) {
      const koha = anyKoha(consortium, random);
      const faults = Array.from({ length: 1 + random.int(4) }, () => ({
        operation: random.pick(WRITES),
        ...random.pick(LOST),
      }));
      koha.addFaults(faults);
      await pause(between(random, 200, 1_500));
    },
  },
  {
    name: 'tokens revoked',
    weight: 1,
    async run(consortium, random) {
      anyKoha(consortium, random).revokeTokens();
      await pause(200);
    },
  },
];

/** Breaks one thing after the other until `endsAtMs`, and counts what it broke; resolves when all is healed. */
export async function breakThings(
  breakers: readonly Breaker[],
  consortium: Consortium<ChaosLibrary>,
  random: SeededRandom,
  options: {
    readonly endsAtMs: number;
    readonly pauseMs: number;
    readonly counts: Record<string, number>;
    readonly spans: FaultSpan[];
  },
): Promise<void> {
  const { endsAtMs, pauseMs, counts, spans } = options;
  const weighted = breakers.flatMap((breaker) => Array.from({ length: breaker.weight }, () => breaker));
  for (const { name } of breakers) counts[name] = 0;
  while (performance.now() < endsAtMs) {
    const breaker = random.pick(weighted);
    counts[breaker.name] = (counts[breaker.name] ?? 0) + 1;
    const fromMs = Date.now();
    await breaker.run(consortium, random);
    spans.push({ name: breaker.name, fromMs, toMs: Date.now() });
    await pause(random.int(pauseMs));
  }
}

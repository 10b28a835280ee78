import { createHash } from 'node:crypto';
import type { NotifiedEndpoint } from '@passport/config';
import type { Notice, Notices } from '@passport/queue/notices';
import type { Logger } from '@passport/runtime';
import { type Delivery, type DeliverDeps, deliver } from './deliver.ts';
import type { NotifyMetrics } from './notify-metrics.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The waits after each failure that Standard Webhooks recommends; after the last the message is given up. */
const RETRY_AFTER_MS = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS),
] as const;
/** Whoever has not settled a notice by then is dead: more than {@link ROUND_MS} and the longest delivery. */
const CLAIM_MS = 30_000;
/** No delivery of one call begins later. */
const ROUND_MS = 15_000;
/** Messages to an endpoint in one call, and how many at the same time. */
const MOST_EACH = 20;
const CONNECTIONS = 4;
/** So long a call waits for endpoints that take their time. */
const PATIENCE_MS = 2_000;
/** When those of an endpoint that is failing, or busy, are looked at again. */
const BUSY_AGAIN_MS = 10_000;
/** An endpoint that this process does not know may be in the configuration of another. */
const UNKNOWN_AGAIN_MS = MINUTE_MS;
const UNKNOWN_MOST_MS = HOUR_MS;

export interface SendDeps extends DeliverDeps {
  readonly endpoints: readonly NotifiedEndpoint[];
  readonly notices: Pick<
    Notices,
    'claim' | 'settle' | 'readStopped' | 'stop' | 'noteFailure' | 'forgetFailure' | 'readFailing'
  >;
  readonly metrics: NotifyMetrics;
  /** In [0, 1). */
  readonly random: () => number;
  /** Milliseconds that a call waits for endpoints that take their time; {@link PATIENCE_MS}, but for tests. */
  readonly patienceMs?: number;
  readonly log: Logger;
}

type Claimed = Awaited<ReturnType<Notices['claim']>>[number];

/** Which address of an endpoint has stopped; the address may be a secret. */
export const addressOf = ({ url }: Pick<NotifiedEndpoint, 'url'>): string =>
  createHash('sha256').update(url.reveal()).digest('hex').slice(0, 16);

/** Milliseconds until a message that failed so many times is tried again; null: no more. Pure. */
export function retryDelayMs(failures: number, retryAfterMs: number, random: () => number): number | null {
  const delayMs = RETRY_AFTER_MS[failures - 1];
  // A tenth more at most: endpoints that were away together are not met together.
  return delayMs === undefined ? null : Math.max(delayMs, retryAfterMs) * (1 + random() / 10);
}

/**
 * Builds what delivers what is due, each message at least once: repetitions have the same id. Endpoints have nothing to do with one
 * another: each has connections of its own, and one that takes its time is left behind, to be gone on with by the next call.
 */
export function buildSender(deps: SendDeps): () => Promise<void> {
  const { notices, now, signal, patienceMs = PATIENCE_MS } = deps;
  const busy = new Set<string>();
  return async () => {
    const claimed = await notices.claim({
      nowMs: now(),
      forMs: CLAIM_MS,
      mostEach: MOST_EACH,
      busy: [...busy],
      busyForMs: BUSY_AGAIN_MS,
    });
    if (claimed.length === 0 || signal.aborted) return;
    const stopped = await notices.readStopped();
    const failures: unknown[] = [];
    const sending = Array.from(groupsOf(claimed), async ([endpoint, claims]) => {
      busy.add(endpoint);
      try {
        await sendAll(claims, stopped, deps);
      } catch (error) {
        // After this call has returned nobody hears of it: what was not settled is due again when the claim is over.
        failures.push(error);
      } finally {
        busy.delete(endpoint);
      }
    });
    await patiently(Promise.all(sending), patienceMs);
    if (failures.length > 0) throw failures[0];
  };
}

/** By endpoint: a slot begins with its name. */
function groupsOf(claimed: readonly Claimed[]): ReadonlyMap<string, readonly Claimed[]> {
  const groups = new Map<string, Claimed[]>();
  for (const claim of claimed) {
    const [endpoint = ''] = claim.slot.split(' ');
    groups.set(endpoint, [...(groups.get(endpoint) ?? []), claim]);
  }
  return groups;
}

async function patiently(work: Promise<unknown>, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}

/** One endpoint's messages, a few at a time. Once one has failed, or the time is used up, the others wait without an attempt. */
async function sendAll(
  claims: readonly Claimed[],
  stopped: Readonly<Record<string, string>>,
  deps: SendDeps,
): Promise<void> {
  const { notices, now, signal } = deps;
  const left = [...claims];
  const until = performance.now() + ROUND_MS;
  let isFailing = false;
  const lane = async (): Promise<void> => {
    for (let claim = left.shift(); claim !== undefined; claim = left.shift()) {
      if (signal.aborted) return;
      const { notice } = claim;
      if (notice !== null && (isFailing || performance.now() > until))
        await notices.settle(claim, { notice, dueMs: now() + BUSY_AGAIN_MS });
      else if ((await sendOne(claim, stopped, deps)) === 'failed') isFailing = true;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
}

async function sendOne(
  claim: Claimed,
  stopped: Readonly<Record<string, string>>,
  deps: SendDeps,
): Promise<unknown> {
  const { endpoints, notices, metrics, now, signal, log } = deps;
  const { notice } = claim;
  if (notice === null) return notices.settle(claim, null);
  const endpoint = endpoints.find(({ name }) => name === notice.endpoint);
  if (endpoint === undefined) {
    const isOver = now() - notice.queued_ms > UNKNOWN_MOST_MS;
    return notices.settle(claim, isOver ? null : { notice, dueMs: now() + UNKNOWN_AGAIN_MS });
  }
  if (stopped[endpoint.name] === addressOf(endpoint)) {
    metrics.ended(endpoint.name, 'dropped');
    return notices.settle(claim, null);
  }
  const delivery = await deliver(endpoint, notice, deps);
  // A process that stops leaves the message to the others: it is due again when the claim is over.
  if (signal.aborted && delivery.kind === 'failed') return undefined;
  log[delivery.kind === 'delivered' ? 'info' : 'warn'](factsOf(notice, delivery), WORDS[delivery.kind]);
  metrics.ended(endpoint.name, delivery.kind === 'delivered' ? 'delivered' : 'failed');
  await noteDelivery(endpoint, delivery, deps);
  if (delivery.kind !== 'failed') return notices.settle(claim, null);
  await retryLater(claim, { notice, retryAfterMs: delivery.retryAfterMs }, deps);
  return 'failed';
}

/** For whoever looks at the dashboard; and where an endpoint is gone, for whoever sends next. */
async function noteDelivery(
  endpoint: NotifiedEndpoint,
  { kind, status, code }: Delivery,
  { notices, now }: SendDeps,
): Promise<void> {
  const { name } = endpoint;
  if (kind === 'delivered') return notices.forgetFailure(name);
  const address = addressOf(endpoint);
  if (kind === 'gone') await notices.stop(name, address);
  return notices.noteFailure(name, { at_ms: now(), kind, status, code, address });
}

/** Forgets failures of addresses that endpoints no longer have. */
export async function forgetFormerAddresses({
  endpoints,
  notices,
}: Pick<SendDeps, 'endpoints' | 'notices'>): Promise<void> {
  for (const [name, { address }] of await notices.readFailing()) {
    const endpoint = endpoints.find((each) => each.name === name);
    if (endpoint !== undefined && addressOf(endpoint) !== address) await notices.forgetFailure(name);
  }
}

const WORDS: Readonly<Record<Delivery['kind'], string>> = {
  delivered: 'operators notified',
  gone: 'an endpoint of notifications answers 410: nothing more is sent there',
  failed: 'a notification was not delivered',
};

function factsOf({ endpoint, message, failures }: Notice, { status, code }: Delivery): object {
  const { type, data } = message;
  return { endpoint, what: type, library: data.library?.id, status, code, attempt: failures + 1 };
}

async function retryLater(
  claim: Claimed,
  { notice, retryAfterMs }: { readonly notice: Notice; readonly retryAfterMs: number },
  { notices, metrics, now, random, log }: SendDeps,
): Promise<void> {
  const failures = notice.failures + 1;
  const delayMs = retryDelayMs(failures, retryAfterMs, random);
  if (delayMs !== null)
    return notices.settle(claim, { notice: { ...notice, failures }, dueMs: Math.round(now() + delayMs) });
  const { endpoint, message } = notice;
  metrics.ended(endpoint, 'dropped');
  log.error({ endpoint, what: message.type, attempt: failures }, 'a notification was given up');
  return notices.settle(claim, null);
}

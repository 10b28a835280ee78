import { createHash } from 'node:crypto';
import type { NotifiedEndpoint } from '@passport/config';
import type { Notice, Notices } from '@passport/queue';
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
/** Twice the longest delivery: whoever has not settled a notice by then is dead. */
const CLAIM_MS = 30_000;
const MOST_AT_ONCE = 20;
/** An endpoint that this process does not know may be in the configuration of another. */
const UNKNOWN_AGAIN_MS = MINUTE_MS;
const UNKNOWN_MOST_MS = HOUR_MS;

export interface SendDeps extends DeliverDeps {
  readonly endpoints: readonly NotifiedEndpoint[];
  readonly notices: Pick<Notices, 'claim' | 'settle' | 'readStopped' | 'stop'>;
  readonly metrics: NotifyMetrics;
  /** In [0, 1). */
  readonly random: () => number;
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

/** Delivers what is due, each message at least once: repetitions have the same id. */
export async function sendDue(deps: SendDeps): Promise<void> {
  const { notices, now, signal } = deps;
  const claimed = await notices.claim({ nowMs: now(), forMs: CLAIM_MS, most: MOST_AT_ONCE });
  if (claimed.length === 0 || signal.aborted) return;
  const stopped = await notices.readStopped();
  await Promise.all(claimed.map((claim) => sendOne(claim, stopped, deps)));
}

async function sendOne(
  claim: Claimed,
  stopped: Readonly<Record<string, string>>,
  deps: SendDeps,
): Promise<void> {
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
  if (delivery.kind === 'gone') await notices.stop(endpoint.name, addressOf(endpoint));
  if (delivery.kind !== 'failed') return notices.settle(claim, null);
  return retryLater(claim, { notice, retryAfterMs: delivery.retryAfterMs }, deps);
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

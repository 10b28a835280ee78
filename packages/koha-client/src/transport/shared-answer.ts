import { KohaError, type KohaErrorCode } from '../errors/koha-error.ts';
import type { KohaOperation } from '../answers/koha-operation.ts';

/** How one caller waits for something that several callers share. */
export interface Waiting {
  readonly library: string;
  readonly operation: KohaOperation;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The work has a deadline of its own, often the same: its failure knows why, so it gets a moment to come first. */
const GRACE_MS = 30;

/**
 * Waits for shared work under the caller's own deadline and signal. The work goes on when a caller leaves, because others
 * may wait for it; the caller that leaves gets a KohaError (`timeout` or `aborted`) without effect.
 */
export async function waitForShared<T>(work: Promise<T>, waiting: Waiting): Promise<T> {
  const { library, operation, signal } = waiting;
  let letGo = (): void => undefined;
  const left = new Promise<never>((_resolve, reject) => {
    const leave = (code: KohaErrorCode): void =>
      reject(new KohaError({ code, library, operation, effect: 'none' }));
    const abort = (): void => leave('aborted');
    let timer = setTimeout(() => {
      timer = setTimeout(() => leave('timeout'), GRACE_MS);
    }, waiting.timeoutMs);
    letGo = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, left]);
  } finally {
    letGo();
  }
}

/** Work that all who wait for it share: begun by the first of them, and again by the first after its end. */
export function shareWork<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= work().finally(() => {
      underWay = undefined;
    });
    underWay.catch(() => undefined); // when every caller has left, nobody else listens
    return underWay;
  };
}

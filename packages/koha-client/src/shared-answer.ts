import { KohaError } from './koha-error.ts';
import type { KohaErrorCode, KohaOperation } from './koha-error.ts';

/** How one caller waits for something that several callers share. */
export interface Waiting {
  readonly library: string;
  readonly operation: KohaOperation;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for shared work under the caller's own deadline and signal. The work goes on when a caller leaves, because others
 * may wait for it; the caller that leaves gets a KohaError (`timeout` or `aborted`) without effect.
 */
export function waitForShared<T>(work: Promise<T>, waiting: Waiting): Promise<T> {
  const { library, operation, signal } = waiting;
  return new Promise((resolve, reject) => {
    const leave = (code: KohaErrorCode): void => {
      settle(() => reject(new KohaError({ code, library, operation, effect: 'none' })));
    };
    const abort = (): void => leave('aborted');
    const timer = setTimeout(() => leave('timeout'), waiting.timeoutMs);
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      end();
    };
    if (signal?.aborted === true) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error as Error)),
    );
  });
}

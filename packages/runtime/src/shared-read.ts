import { within } from './deadline.ts';

/**
 * A reading for gauges that are collected at the same time: they share the one that is under way, and its failure
 * (null). It fails after `ms` milliseconds; `what` is being read. What was read is good for `keptMs` more.
 */
export function sharedRead<T>(
  ms: number,
  read: () => Promise<T>,
  what: string,
  keptMs = 0,
): () => Promise<T | null> {
  let reading: Promise<T | null> | null = null;
  const forget = (): void => {
    reading = null;
  };
  const keep = (value: T): T => {
    if (keptMs === 0) forget();
    else setTimeout(forget, keptMs).unref();
    return value;
  };
  const fail = (): null => {
    forget();
    return null;
  };
  return () => {
    reading ??= within(ms, read(), what).then(keep, fail);
    return reading;
  };
}

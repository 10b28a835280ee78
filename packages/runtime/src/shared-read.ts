import { within } from './deadline.ts';

/**
 * A reading for gauges that are collected at the same time: they share the one that is under way, and its failure
 * (null). It fails after `ms` milliseconds; `what` is being read.
 */
export function sharedRead<T>(ms: number, read: () => Promise<T>, what: string): () => Promise<T | null> {
  let pending: Promise<T | null> | null = null;
  return () => {
    pending ??= within(ms, read(), what)
      .catch(() => null)
      .finally(() => {
        pending = null;
      });
    return pending;
  };
}

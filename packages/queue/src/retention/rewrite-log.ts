import type { Redis } from '@passport/runtime';
import { rewriteKey } from '../keys.ts';

/** The result of a request that Redis rewrites its append-only file. */
export type LogRewrite = 'started' | 'not due' | 'no append-only file' | 'refused';

/**
 * Has Redis write its append-only file anew when nobody did for `everyMs`: until then the file keeps every encrypted
 * card and item, also of events that ended and were removed. One of many that try starts it. `refused`: Redis does not let us
 * (managed ones often do not), or is at it already; then its own `auto-aof-rewrite-*` decides.
 */
export async function rewriteLogWhenDue(redis: Redis, everyMs: number): Promise<LogRewrite> {
  if ((await redis.set(rewriteKey, '', 'PX', everyMs, 'NX')) === null) return 'not due';
  const nodes = 'nodes' in redis ? redis.nodes('master') : [redis];
  const results = await Promise.all(nodes.map(rewriteOne));
  return results.find((result) => result !== 'started') ?? 'started';
}

async function rewriteOne(node: Pick<Redis, 'info' | 'call'>): Promise<LogRewrite> {
  try {
    if (!/^aof_enabled:1\r?$/m.test(await node.info('persistence'))) return 'no append-only file';
    await node.call('BGREWRITEAOF');
    return 'started';
  } catch (error) {
    // An answer of Redis; what is no answer is trouble that the caller knows.
    if (error instanceof Error && error.name === 'ReplyError') return 'refused';
    throw error;
  }
}

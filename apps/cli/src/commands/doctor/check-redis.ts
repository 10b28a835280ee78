import type { readRedis } from '@passport/queue';
import { type Finding, fault, warning } from './finding.ts';

/** Whether a Redis keeps what it is given. */
export function checkRedis({ policy, keepsAof }: Awaited<ReturnType<typeof readRedis>>): Finding[] {
  const evicts = `Redis may evict events: maxmemory-policy is ${policy ?? ''}`;
  return [
    ...(policy === null || policy === 'noeviction'
      ? []
      : [
          fault(
            'redis_policy',
            evicts,
            'set maxmemory-policy noeviction, and share this Redis with no cache',
          ),
        ]),
    ...(keepsAof === false
      ? [
          warning(
            'redis_no_file',
            'Redis keeps no append-only file: a restart loses events',
            'set appendonly yes',
          ),
        ]
      : []),
  ];
}

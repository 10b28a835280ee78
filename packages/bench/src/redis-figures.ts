import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedRedis } from '@passport/testkit';
import { connect } from 'node:net';
import { once } from 'node:events';
import { preciseNow, median } from './figures.ts';

const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 1_500;
const SAMPLE = 200;
/** Of a key that ends: its entries in Redis' two tables, which MEMORY USAGE leaves out. */
const TABLE_BYTES = 48;

/** All memory that Redis uses for data. */
export async function usedBytes(redis: StartedRedis): Promise<number> {
  const info = String(await redis.call('INFO', 'memory'));
  return Number(/used_memory:(\d+)/.exec(info)?.[1] ?? Number.NaN);
}

/** Waits until retention has taken what it takes, that is until so many looks see no less memory, and returns it. */
export async function settledUsedBytes(redis: StartedRedis, looks: number): Promise<number> {
  const end = performance.now() + PATIENCE_MS;
  let least = await usedBytes(redis);
  for (let still = 0; still < looks && performance.now() < end;) {
    await sleep(LOOK_EVERY_MS);
    const now = await usedBytes(redis);
    still = now < least * 0.999 ? 0 : still + 1;
    least = Math.min(least, now);
  }
  return least;
}

/** Mean memory of the keys that fit a pattern, of a sample of them. */
export async function meanKeyBytes(redis: StartedRedis, pattern: string): Promise<number> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000'] as const;
    const [next, found] = (await redis.call(...scan)) as readonly [string, readonly string[]];
    cursor = next;
    keys.push(...found);
  } while (cursor !== '0' && keys.length < SAMPLE);
  let bytes = 0;
  for (const key of keys) bytes += TABLE_BYTES + (await keyBytes(redis, key));
  return bytes / keys.length;
}

/** Memory of one key, all its elements counted. */
export async function keyBytes(redis: StartedRedis, key: string): Promise<number> {
  return Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
}

/** One command as Redis has seen it. */
export interface Seen {
  readonly name: string;
  readonly atMs: number;
  /** Address of the connection that sent it, or null where a script has called it. */
  readonly client: string | null;
}

export interface Monitor {
  /** What has come since the last take. */
  take(): readonly Seen[];
  stop(): void;
}

const LINE = /^\+(\d+\.\d+) \[\d+ (\S+)\] "([^"]*)"/;

/** Watches all commands of a Redis on this machine with MONITOR. Arguments are dropped as they come. */
export async function startMonitor(port: number): Promise<Monitor> {
  const socket = connect(port, '127.0.0.1');
  let seen: Seen[] = [];
  let partial = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    const lines = (partial + piece).split('\r\n');
    partial = lines.pop() ?? '';
    seen.push(...lines.flatMap(readLine));
  });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('data', () => resolve());
    socket.write('MONITOR\r\n');
  });
  return {
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => socket.destroy(),
  };
}

function readLine(line: string): readonly Seen[] {
  const [, seconds, from = '', name = ''] = LINE.exec(line) ?? [];
  if (seconds === undefined) return [];
  const client = from === 'lua' ? null : from;
  return [{ name: name.toUpperCase(), atMs: 1_000 * Number(seconds), client }];
}

const PINGS = 50;

/** What a round trip to a Redis on this machine takes, in ms: the median of PINGs over one connection, after its first. */
export async function pingMs(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const took: number[] = [];
  for (let count = 0; count <= PINGS; count += 1) {
    const answered = once(socket, 'data');
    const sentAt = preciseNow();
    socket.write('PING\r\n');
    await answered;
    if (count > 0) took.push(preciseNow() - sentAt);
  }
  socket.destroy();
  return median(took);
}

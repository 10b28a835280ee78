import { cpuMs, sum } from './figures.ts';
import type { Stack } from './start-stack.ts';

/** What has been used so far: processor time in ms, and commands of Redis, those within scripts included. */
export interface Used {
  readonly redis: number;
  readonly worker: number;
  readonly receiver: number;
  readonly commands: number;
}

/** Of Redis, of all workers together and of all receivers. */
export async function readUsed({ redis, services }: Stack): Promise<Used> {
  const info = String(await redis.call('INFO', 'everything'));
  const figure = (name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  const ofAll = async (processes: readonly { readonly pid: number }[]): Promise<number> =>
    sum(await Promise.all(processes.map(({ pid }) => cpuMs(pid))));
  return {
    redis: 1_000 * (figure('used_cpu_user') + figure('used_cpu_sys')),
    worker: await ofAll(services.workers),
    receiver: await ofAll(services.receivers),
    commands: figure('total_commands_processed'),
  };
}

/** Linux counts in ticks of 10 ms: what took less has taken at most one. */
const LEAST = 10;

/** What was used between two readings, for each of so many. */
export function usedEach(before: Used, after: Used, count: number): Used {
  const each = (what: keyof Used): number => Math.max(LEAST, after[what] - before[what]) / count;
  return {
    redis: each('redis'),
    worker: each('worker'),
    receiver: each('receiver'),
    commands: each('commands'),
  };
}

const NOTED_FROM_US = 100;

/** How long the longest command or script that `work` had Redis run kept everybody else waiting, in ms. */
export async function longestCommandMs({ redis }: Stack, work: () => Promise<unknown>): Promise<number> {
  await redis.call('CONFIG', 'SET', 'slowlog-log-slower-than', String(NOTED_FROM_US));
  await redis.call('SLOWLOG', 'RESET');
  await work();
  const noted = (await redis.call('SLOWLOG', 'GET', '-1')) as readonly (readonly [
    number,
    number,
    us: number,
  ])[];
  await redis.call('CONFIG', 'SET', 'slowlog-log-slower-than', '-1');
  return Math.max(NOTED_FROM_US, ...noted.map(([, , us]) => us)) / 1_000;
}

/** How long each event waited for a worker in ms, where it did not have to wait for a library. */
const WAITS_LUA = `
local waits = {}
for place, key in ipairs(KEYS) do
  local added, taken, starts = unpack(redis.call('HMGET', key, 'timestamp', 'processedOn', 'ats'))
  waits[place] = (starts == '1' and added and taken) and tonumber(taken) - tonumber(added) or -1
end
return waits
`;
const AT_ONCE = 500;

/** Reads it for events of libraries that have ended; in ms. */
export async function readWaits(
  { redis }: Stack,
  events: readonly { readonly library: string; readonly id: string }[],
): Promise<readonly number[]> {
  const waits: number[] = [];
  for (let from = 0; from < events.length; from += AT_ONCE) {
    const keys = events
      .slice(from, from + AT_ONCE)
      .map(({ library, id }) => `{passport}:scans:${library}.${id}`);
    waits.push(...((await redis.call('EVAL', WAITS_LUA, String(keys.length), ...keys)) as number[]));
  }
  // Whole milliseconds: less than one is at most one.
  return waits.filter((wait) => wait >= 0).map((wait) => Math.max(1, wait));
}

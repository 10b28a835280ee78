import type { Redis } from '@passport/runtime';

type Argument = string | number;
type Command = (...args: Argument[]) => Promise<unknown>;

/** A Lua script as a command of one connection: one round trip, run as a whole or not at all. */
export type Script = (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

/**
 * Gives a connection the script under `name` (ioredis sends its hash, and the text again where Redis forgot it).
 * Calls made in one turn of the event loop by `Promise.all` leave in one write.
 */
export function defineScript(redis: Redis, name: string, lua: string): Script {
  redis.defineCommand(name, { lua });
  const command = (redis as unknown as Record<string, Command>)[name];
  if (command === undefined) throw new Error(`the script ${name} was not defined`);
  return (keys, args) => command.call(redis, keys.length, ...keys, ...args);
}

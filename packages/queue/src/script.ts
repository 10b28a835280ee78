import type { Redis } from '@passport/runtime';

type Argument = string | number;
type Command = (...args: Argument[]) => Promise<unknown>;
type Commands = Record<string, Command | undefined>;

/** What one run of a script is given. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
}

/** A Lua script as a command of one connection: one round trip, run as a whole or not at all. */
export type Script = (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

/**
 * Gives a connection the script under `name`, once (ioredis sends its hash, and the text where Redis does not know it).
 */
export function defineScript(redis: Redis, name: string, lua: string): Script {
  define(redis, name, lua);
  return (keys, args) => commandOf(redis, name)(keys.length, ...keys, ...args);
}

/** The same for many runs at once, one after the other, in one write. Rejects when one of them failed. */
export function defineScriptForMany(
  redis: Redis,
  name: string,
  lua: string,
): (calls: readonly ScriptCall[]) => Promise<unknown[]> {
  define(redis, name, lua);
  return async (calls) => {
    const pipeline = redis.pipeline();
    const run = commandOf(pipeline, name);
    for (const { keys, args } of calls) void run(keys.length, ...keys, ...args);
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply;
    });
  };
}

function define(redis: Redis, name: string, lua: string): void {
  if ((redis as unknown as Commands)[name] === undefined) redis.defineCommand(name, { lua });
}

function commandOf(target: unknown, name: string): Command {
  const command = (target as Commands)[name];
  if (command === undefined) throw new Error(`the script ${name} was not defined`);
  return (...args) => command.call(target, ...args);
}

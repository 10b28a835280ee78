import type { Redis } from '@passport/runtime';

type Argument = string | number;
type Command = (...args: Argument[]) => Promise<unknown>;

/** Lua: `nowMs()`, the present time by Redis's clock. Part of other scripts. */
export const NOW_LUA = `
local function nowMs()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`;

/** A Lua script as a command of one connection: one round trip, run as a whole or not at all. */
export type Script = (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

/**
 * Gives a connection the script under `name`, once (ioredis sends its hash, and the text where Redis does not know it).
 */
export function defineScript(redis: Redis, name: string, lua: string): Script {
  const commands = redis as unknown as Record<string, Command | undefined>;
  if (commands[name] === undefined) redis.defineCommand(name, { lua });
  const command = commands[name];
  if (command === undefined) throw new Error(`the script ${name} was not defined`);
  return (keys, args) => command.call(redis, keys.length, ...keys, ...args);
}

/** Sends a pipeline or a transaction, and returns its replies. Throws the first error, which ioredis returns among them. */
export async function execAll(commands: Pick<ReturnType<Redis['pipeline']>, 'exec'>): Promise<unknown[]> {
  const replies = (await commands.exec()) ?? [];
  for (const [error] of replies) if (error !== null) throw error;
  return replies.map(([, reply]) => reply);
}

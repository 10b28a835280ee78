import type { Redis } from '@passport/runtime';
import * as z from 'zod';
import { controlKey } from './keys.ts';

const VERSION = 'version';
const RELOAD = 'reload';

const reloadSchema = z.object({ id: z.string(), by: z.string(), at_ms: z.number() });

/** Somebody wants every process to take over the configuration as it is by now. */
export type ReloadRequest = Readonly<z.infer<typeof reloadSchema>>;

/** What operators have said to all processes at once. */
export interface Control {
  readonly reload: ReloadRequest | null;
}

/** Grows with each change, so that a look at one number shows that there is none. */
export async function readControlVersion(redis: Redis): Promise<string | null> {
  return redis.hget(controlKey, VERSION);
}

export async function readControl(redis: Redis): Promise<Control> {
  const fields = await redis.hgetall(controlKey);
  return { reload: parse(reloadSchema, fields[RELOAD]) };
}

/** Every process sees the request within a second, and says in its record (`reload`) that it has dealt with it. */
export async function requestReload(redis: Redis, request: ReloadRequest): Promise<void> {
  await change(redis, RELOAD, JSON.stringify(request));
}

async function change(redis: Redis, field: string, text: string): Promise<void> {
  const done = await redis.multi().hset(controlKey, field, text).hincrby(controlKey, VERSION, 1).exec();
  for (const [error] of done ?? []) if (error !== null) throw error;
}

function parse<T>(schema: z.ZodType<T>, text: string | undefined): T | null {
  if (text === undefined) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

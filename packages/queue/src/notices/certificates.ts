import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { execAll, parseFields } from '../redis/index.ts';
import { certificatesKey } from '../keys.ts';

const certificateSchema = z.object({
  /** Null: it has not been seen yet. */
  until_ms: z.number().nullable(),
  /** When it was last looked for. */
  at_ms: z.number(),
});

/** Until when a library's certificate is valid, as far as a worker has seen it. */
export type SeenCertificate = Readonly<z.infer<typeof certificateSchema>>;

const LIFE_SECONDS = 7 * 24 * 3600;

/** By library. */
export async function readCertificates(redis: Redis): Promise<ReadonlyMap<string, SeenCertificate>> {
  return parseFields(certificateSchema, await redis.hgetall(certificatesKey));
}

/** Notes until when the certificate of a library's Koha is valid. */
export async function writeCertificate(redis: Redis, library: string, seen: SeenCertificate): Promise<void> {
  const write = redis.multi().hset(certificatesKey, library, JSON.stringify(seen));
  await execAll(write.expire(certificatesKey, LIFE_SECONDS));
}

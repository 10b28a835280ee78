import type { Redis } from '@passport/runtime';
import * as z from 'zod';
import { certificatesKey } from './keys.ts';
import { readJson } from './read-json.ts';

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
  const fields = Object.entries(await redis.hgetall(certificatesKey));
  return new Map(
    fields.flatMap(([library, text]) => {
      const seen = certificateSchema.safeParse(readJson(text)).data;
      return seen === undefined ? [] : [[library, seen] as const];
    }),
  );
}

/** Notes until when the certificate of a library's Koha is valid. */
export async function writeCertificate(redis: Redis, library: string, seen: SeenCertificate): Promise<void> {
  await redis
    .multi()
    .hset(certificatesKey, library, JSON.stringify(seen))
    .expire(certificatesKey, LIFE_SECONDS)
    .exec();
}

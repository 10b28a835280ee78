import type { Redis } from '@passport/runtime';
import { deletionsKey } from '../keys.ts';
import { defineScript } from '../redis/index.ts';

/** A copy that a run began to delete: until its receipt is written, whoever looks next decides by what the lending Koha has. */
export interface BegunDeletion {
  /** The lending Koha's number of the copy. */
  readonly patronId: number;
  readonly homeKey: string;
  /** Of its receipt, which is written once, whoever writes it. */
  readonly eventId: string;
  /** By Redis's clock. */
  readonly atMs: number;
}

/** A library with so many deletions that nobody could settle has another trouble: no more are begun. */
const MOST_BEGUN = 100;

/** KEYS 1 deletions; ARGV 1 number of the copy, 2 the deletion as JSON, 3 most, 4 life in milliseconds */
const BEGIN_LUA = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 'full' end
local is_new = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return is_new and 'new' or redis.call('HGET', KEYS[1], ARGV[1])
`;

/**
 * Notes, before the lending Koha is called, that a copy is to be deleted. An earlier run's note stays as it is: what that one sent may
 * still take place. The receipt of the deletion ends it (receipts.ts). Returns what is noted, and whether by this call; null where too
 * many of the library are not settled.
 */
export async function beginDeletion(
  redis: Redis,
  lending: string,
  deletion: BegunDeletion,
  keepMs: number,
): Promise<(BegunDeletion & { readonly isNew: boolean }) | null> {
  const begin = defineScript(redis, 'passportBeginDeletion', BEGIN_LUA);
  const text = JSON.stringify(deletion);
  const answer = await begin([deletionsKey(lending)], [String(deletion.patronId), text, MOST_BEGUN, keepMs]);
  if (answer === 'full') return null;
  if (answer === 'new') return { ...deletion, isNew: true };
  return { ...(JSON.parse(String(answer)) as BegunDeletion), isNew: false };
}

/** The copies at a library whose deletion was begun and has no receipt. */
export async function readDeletions(redis: Redis, lending: string): Promise<readonly BegunDeletion[]> {
  const texts = await redis.hvals(deletionsKey(lending));
  return texts.map((text) => JSON.parse(text) as BegunDeletion);
}

/** Forgets a deletion that certainly did not, and will not, take place. */
export async function dropDeletion(redis: Redis, lending: string, patronId: number): Promise<void> {
  await redis.hdel(deletionsKey(lending), String(patronId));
}

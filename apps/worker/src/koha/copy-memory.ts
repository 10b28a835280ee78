import type { WorkerConfig } from '@passport/config';
import { type MadeCopy, type RememberedField, storeRemembered } from '@passport/koha-client';
import { STANDING, hashedFields, standingText } from '@passport/patron-rules';
import {
  dropUnremembered,
  librariesWithUnremembered,
  lockUnremembered,
  noteUnremembered,
  readUnremembered,
} from '@passport/queue/copies';
import { parseStored } from '@passport/queue/redis';
import {
  type Encryption,
  type Logger,
  type Redis,
  createEncryption,
  translateRedisError,
} from '@passport/runtime';
import * as z from 'zod';
import type { Libraries } from './libraries.ts';

/** A round of a worker that dies keeps the others out for no longer than this. */
const LOCK_MS = 60_000;

const entrySchema = z.object({
  patron_id: z.number().int().positive(),
  home_key: z.string(),
  fields: z.record(z.string(), z.object({ hash: z.string(), at: z.number(), event: z.string() })),
  /** The name of the home library, where the desk is shown that the patron is in good standing there. */
  good_at: z.string().optional(),
  made: z.object({ home: z.string(), groups: z.array(z.string()) }).optional(),
});
type Entry = z.infer<typeof entrySchema>;

/** What was written into a copy just now. */
export interface WrittenCopy {
  readonly lending: string;
  readonly patronId: number;
  readonly homeKey: string;
  /** Of a copy that was made just now: what the lending library may tell the patron of it. */
  readonly made?: MadeCopy;
  readonly eventId: string;
  readonly values: Readonly<Record<string, string>>;
  /** The name of the home library, where the lending library is told of its patrons' standing: who is copied is in good standing. */
  readonly goodAt?: string;
}

export type CopyMemory = ReturnType<typeof buildCopyMemory>;

export interface CopyMemoryDeps {
  readonly redis: Redis;
  readonly keys: WorkerConfig['keys'];
  readonly libraries: Pick<Libraries, 'callBeside'>;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Builds the memory of what the service wrote into copies, kept beside them at the lending Koha; keyed hashes, never a value. What was
 * written waits in Redis until the plugin there has stored it.
 */
export function buildCopyMemory(deps: CopyMemoryDeps) {
  const { redis, now, log } = deps;
  const encryption = createEncryption(deps.keys.map((key) => key.reveal()));
  const running = new Set<Promise<void>>();
  const noted = async (written: WrittenCopy): Promise<void> => {
    const { lending, eventId: event, patronId } = written;
    try {
      const text = JSON.stringify(entryOf(written, encryption, Math.floor(now() / 1000)));
      const isKept = await noteUnremembered(redis, lending, { id: `${patronId}.${event}`, text });
      if (!isKept)
        log.warn({ event, lending }, 'what was written into a copy is not remembered: too much waits');
    } catch (error) {
      const { kind } = translateRedisError(error);
      log.warn({ event, lending, because: kind }, 'what was written into a copy is not remembered');
    }
  };
  return {
    /** Notes what was written, in the background: a failure delays no scan, and the sweep reports it. */
    note(written: WrittenCopy): void {
      const work = noted(written).finally(() => running.delete(work));
      running.add(work);
    },
    /** Those of these libraries that something waits for. */
    waiting: (libraries: readonly string[]): Promise<readonly string[]> =>
      librariesWithUnremembered(redis, libraries),
    /** Stores what waits for a library with its Koha while it `mayGoOn`. Throws KohaError or LibraryClosed. */
    async store(lending: string, mayGoOn: (lending: string) => boolean = () => true): Promise<void> {
      if (!mayGoOn(lending)) return;
      const waiting = await readUnremembered(redis, lending);
      if (waiting.length === 0) return;
      const release = await lockUnremembered(redis, lending, LOCK_MS);
      if (release === null) return;
      try {
        for (const { id, text } of waiting) {
          if (!mayGoOn(lending)) return;
          const entry = parseStored(entrySchema, text);
          if (entry !== null) await storeOne(lending, entry, deps);
          await dropUnremembered(redis, lending, id);
        }
      } finally {
        await release();
      }
    },
    /** Resolves when everything that was noted is in Redis. */
    settled: async (): Promise<void> => void (await Promise.all(running)),
  };
}

function entryOf(
  { lending, patronId, homeKey, eventId, values, goodAt, made }: WrittenCopy,
  encryption: Pick<Encryption, 'hash'>,
  at: number,
): Entry {
  const told = goodAt === undefined ? {} : { [STANDING]: standingText(true, []) };
  const all = { ...values, ...told };
  return {
    patron_id: patronId,
    home_key: homeKey,
    fields: hashedFields({ lending, patronId, homeKey }, all, { encryption, at, event: eventId }),
    ...(goodAt === undefined ? {} : { good_at: goodAt }),
    ...(made === undefined ? {} : { made: { home: made.home, groups: [...made.groups] } }),
  };
}

async function storeOne(lending: string, entry: Entry, { libraries }: CopyMemoryDeps): Promise<void> {
  const { patron_id: patronId, home_key: homeKey, fields, good_at: homeName, made } = entry;
  const shown = homeName === undefined ? {} : { standing: { isGood: true, reasons: [], homeName } };
  const row = { patronId, homeKey, ...shown, ...(made && { made }) };
  await libraries.callBeside(lending, (koha) =>
    storeRemembered(koha, row, (before) => latestOf(before, fields)),
  );
}

/** Of two writes of one field the later one is what the copy holds. */
function latestOf(
  before: Readonly<Record<string, RememberedField>>,
  more: Readonly<Record<string, RememberedField>>,
): Record<string, RememberedField> {
  const later = Object.entries(more).filter(([name, { at }]) => at >= (before[name]?.at ?? 0));
  return { ...before, ...Object.fromEntries(later) };
}

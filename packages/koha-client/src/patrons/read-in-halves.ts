import { isOfOneRecord } from '../errors/koha-error.ts';

/** So many records in a row that Koha cannot show mean that it is in trouble, and not they. */
const MOST_BROKEN = 5;

/**
 * Reads a batch in one call. Where Koha fails at it, it is halved until the one that breaks it is alone, so that the others are read;
 * those that cannot be are returned. Of an empty batch nothing is read. Throws what `readBatch` throws where the library is in trouble.
 */
export async function readInHalves<T>(
  all: readonly T[],
  readBatch: (batch: readonly T[]) => Promise<void>,
): Promise<readonly T[]> {
  const unread: T[] = [];
  let broken = 0;
  const read = async (batch: readonly T[]): Promise<void> => {
    try {
      await readBatch(batch);
      broken = 0;
    } catch (error) {
      if (!isOfOneRecord(error)) throw error;
      if (batch.length === 1) {
        broken += 1;
        if (broken >= MOST_BROKEN) throw error;
        unread.push(...batch);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await read(batch.slice(0, middle));
      await read(batch.slice(middle));
    }
  };
  if (all.length > 0) await read(all);
  return unread;
}

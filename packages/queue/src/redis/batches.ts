/** Of two thousand libraries, nobody may wait for a script that looks at all. */
const AT_ONCE = 200;

/** Hands a list on in pieces of at most `size`, one after the other, and joins what comes of them. */
export async function inBatches<T, R>(
  all: readonly T[],
  work: (some: readonly T[]) => Promise<readonly R[]>,
  size = AT_ONCE,
): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < all.length; from += size)
    results.push(...(await work(all.slice(from, from + size))));
  return results;
}

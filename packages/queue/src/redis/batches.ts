/** Of two thousand libraries, nobody may wait for a script that looks at all. */
const AT_ONCE = 200;

/** Hands a list on in pieces, one after the other, and joins what comes of them: what is done for each library is one script for 200. */
export async function inBatches<T, R>(
  all: readonly T[],
  work: (some: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE)
    results.push(...(await work(all.slice(from, from + AT_ONCE))));
  return results;
}

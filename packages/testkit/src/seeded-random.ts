/** Random choices that a seed repeats. */
export interface SeededRandom {
  /** 0 <= number < 1. */
  next(): number;
  /** A whole number, 0 <= number < `below`. */
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
}

/** A generator (mulberry32) whose choices depend on `seed` alone: print the seed when a test fails. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (below: number) => Math.floor(next() * below);
  return {
    next,
    int,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError('nothing to pick from');
      return list[int(list.length)] as T;
    },
  };
}

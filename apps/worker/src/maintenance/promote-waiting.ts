import type { CircuitSeen } from '../koha/libraries.ts';

/** A library that answered within this is back: everybody may come. */
const BACK_WITHIN_MS = 3_000;

/**
 * How many of the jobs that wait for a library's circuit to promote now. While nobody knows whether the library is back, one
 * job at a time goes and sees: no process calls a Koha without an event. Pure.
 */
export function decidePromotion(
  circuit: { readonly isOpen: boolean; readonly isDue: boolean },
  sinceSuccessMs: number | null,
): 'all' | 'one' | 'none' {
  if (circuit.isOpen) return circuit.isDue ? 'one' : 'none';
  return sinceSuccessMs !== null && sinceSuccessMs <= BACK_WITHIN_MS ? 'all' : 'one';
}

/** One round over the libraries that jobs wait for, whichever worker delayed them. */
export async function promoteRound(deps: {
  readonly circuitOf: (library: string) => CircuitSeen;
  readonly delayedFor: () => Promise<readonly string[]>;
  readonly promote: (library: string, most: number) => Promise<number>;
}): Promise<void> {
  const { circuitOf, delayedFor, promote } = deps;
  for (const library of await delayedFor()) {
    const seen = circuitOf(library);
    const many = decidePromotion(seen, seen.sinceSuccessMs);
    if (many !== 'none') await promote(library, many === 'all' ? Infinity : 1);
  }
}

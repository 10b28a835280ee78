/** A library that answered within this is back: everybody may come. */
const BACK_WITHIN_MS = 3_000;

/**
 * How many of the jobs parked for a library's circuit to wake now. While nobody knows whether the library is back, one
 * job at a time goes and sees: no process calls a Koha without an event. Pure.
 */
export function decidePromotion(
  circuit: { readonly isOpen: boolean; readonly isDue: boolean },
  sinceSuccessMs: number | null,
): 'all' | 'one' | 'none' {
  if (circuit.isOpen) return circuit.isDue ? 'one' : 'none';
  return sinceSuccessMs !== null && sinceSuccessMs <= BACK_WITHIN_MS ? 'all' : 'one';
}

/** What a round asks of a library's circuit. */
export interface CircuitSeen {
  readonly isOpen: boolean;
  readonly isDue: boolean;
  readonly sinceSuccessMs: number | null;
}

/** One round over the libraries that jobs wait for, whichever worker parked them. */
export async function promoteRound(deps: {
  readonly circuitOf: (library: string) => CircuitSeen;
  readonly delayedFor: () => Promise<readonly string[]>;
  readonly wake: (library: string, most: number) => Promise<number>;
}): Promise<void> {
  const { circuitOf, delayedFor, wake } = deps;
  for (const library of await delayedFor()) {
    const seen = circuitOf(library);
    const many = decidePromotion(seen, seen.sinceSuccessMs);
    if (many !== 'none') await wake(library, many === 'all' ? Infinity : 1);
  }
}

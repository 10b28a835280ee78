/** A library that answered within this is back: everybody may come. */
const BACK_WITHIN_MS = 3_000;

/**
 * How many of the jobs parked for a library's circuit to wake now. While nobody knows whether the library is back, one
 * job at a time goes and sees: no process calls a Koha without an event. Pure.
 */
export function decideWaking(
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
export async function wakeRound(deps: {
  readonly circuitOf: (library: string) => CircuitSeen;
  readonly parkedFor: () => Promise<readonly string[]>;
  readonly wake: (library: string, most: number) => Promise<number>;
}): Promise<void> {
  const { circuitOf, parkedFor, wake } = deps;
  for (const library of await parkedFor()) {
    const seen = circuitOf(library);
    const many = decideWaking(seen, seen.sinceSuccessMs);
    if (many !== 'none') await wake(library, many === 'all' ? Infinity : 1);
  }
}

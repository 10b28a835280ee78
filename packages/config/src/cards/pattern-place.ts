import type { PatternAutomaton } from './pattern-automaton.ts';

const PRINTABLE = Array.from({ length: 0x7f - 0x21 }, (_, place) => String.fromCodePoint(0x21 + place));
/** Digits first, so that the card that is found looks like one. A card has no blank at its ends, and seldom one within. */
export const CHARACTERS = [...'0123456789', ...PRINTABLE, ' ', 'é'];

/** Where one pattern can be after the same text. `fits` once a whole match was read: what follows does not matter any more. */
export interface Place {
  readonly states: readonly number[];
  readonly fits: boolean;
}

/** A state that is waited in: for a character, or for the end of the text. */
const leadsOn = (automaton: PatternAutomaton, state: number): boolean =>
  automaton.stepsFrom(state).some(({ kind }) => kind === 'character' || kind === 'end');

/** All states that are reached from `from` without reading on. */
export function close(
  automaton: PatternAutomaton,
  from: readonly number[],
  at: 'start' | 'end' | null,
): Place {
  const reached = new Set(from);
  for (const state of reached) {
    for (const step of automaton.stepsFrom(state)) {
      if (step.kind === 'free' || (at !== null && step.kind === at)) reached.add(step.to);
    }
  }
  const states = [...reached].filter((state) => leadsOn(automaton, state));
  return { states: states.toSorted((one, other) => one - other), fits: reached.has(automaton.end) };
}

/** Whether the text may end here. */
export const fitsAtEnd = (automaton: PatternAutomaton, { states, fits }: Place): boolean =>
  fits || close(automaton, states, 'end').fits;

/** Where it can be after one more character of these kinds (`classOf`). */
export function read(automaton: PatternAutomaton, { states, fits }: Place, kinds: string): Place {
  if (fits) return { states: [], fits };
  const next = states.flatMap((state) =>
    automaton
      .stepsFrom(state)
      .flatMap((step) => (step.kind === 'character' && kinds[step.atom] === '1' ? [step.to] : [])),
  );
  // A pattern that does not begin with ^ may begin to fit at any place of the text.
  return close(automaton, [...next, automaton.start], null);
}

/** Whether no card that begins so fits. */
export const isDead = ({ states, fits }: Place): boolean => !fits && states.length === 0;

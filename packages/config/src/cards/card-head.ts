import type { PatternAutomaton } from './pattern-automaton.ts';
import { CHARACTERS, close, fitsAtEnd, isDead, read } from './pattern-place.ts';

/** How many characters are compared at most: what distinguishes the cards of libraries comes first. */
const LONGEST_HEAD = 8;
const heads = new WeakMap<PatternAutomaton, readonly bigint[]>();

/** The bit of a character: one for each of CHARACTERS, and that of é for all others. */
const bitOf = (character: string): bigint =>
  1n << BigInt(CHARACTERS.indexOf(CHARACTERS.includes(character) ? character : 'é'));

/** The bits of the characters that `automaton` does not distinguish, by their kinds. */
function bitsByKinds(automaton: PatternAutomaton): ReadonlyMap<string, bigint> {
  const bits = new Map<string, bigint>();
  for (const character of [...CHARACTERS, ...automaton.named]) {
    const kinds = automaton.classOf(character);
    bits.set(kinds, (bits.get(kinds) ?? 0n) | bitOf(character));
  }
  return bits;
}

/** What each of the first characters of a card that fits may be, for as many as all such cards have. */
function headOf(automaton: PatternAutomaton): readonly bigint[] {
  const known = heads.get(automaton);
  if (known !== undefined) return known;
  const kindsWithBits = [...bitsByKinds(automaton)];
  const head: bigint[] = [];
  let place = close(automaton, [automaton.start], 'start');
  while (head.length < LONGEST_HEAD && !fitsAtEnd(automaton, place)) {
    const here = place;
    const alive = kindsWithBits
      .map(([kinds, bits]) => ({ next: read(automaton, here, kinds), bits }))
      .filter(({ next }) => !isDead(next));
    head.push(alive.reduce((sum, { bits }) => sum | bits, 0n));
    place = {
      states: [...new Set(alive.flatMap(({ next }) => next.states))],
      fits: alive.some(({ next }) => next.fits),
    };
  }
  heads.set(automaton, head);
  return head;
}

/**
 * Whether one of the first characters that all cards of both have can never be the same. This keeps most of a thousand libraries
 * apart without a walk through both patterns; if it is false, they may still have no card in common.
 */
export function differEarly(one: PatternAutomaton, other: PatternAutomaton): boolean {
  const there = headOf(other);
  return headOf(one).some((bits, place) => ((there[place] ?? bits) & bits) === 0n);
}

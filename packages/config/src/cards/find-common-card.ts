import { differEarly } from './card-head.ts';
import { buildAutomaton, type PatternAutomaton } from './pattern-automaton.ts';
import { CHARACTERS, close, fitsAtEnd, isDead, read, type Place } from './pattern-place.ts';

/** Whether two patterns both fit some card. `unknown` only where a pattern is out of the ordinary. */
export type Common =
  | { readonly kind: 'apart' }
  | { readonly kind: 'overlap'; readonly card: string }
  | { readonly kind: 'unknown' };

const LONGEST_CARD = 32;
/** Pairs of places looked at; patterns as libraries write them need a few dozen. */
const MOST_PLACES = 5_000;

const automata = new WeakMap<RegExp, PatternAutomaton | null>();

function automatonOf(pattern: RegExp): PatternAutomaton | null {
  const known = automata.get(pattern);
  if (known !== undefined) return known;
  const built = buildAutomaton(pattern);
  automata.set(pattern, built);
  return built;
}

/** One character for each kind that the two patterns distinguish. */
function alphabetOf(one: PatternAutomaton, other: PatternAutomaton): [string, string, string][] {
  const kinds = new Map<string, [string, string, string]>();
  for (const character of [...CHARACTERS, ...one.named, ...other.named]) {
    const [here, there] = [one.classOf(character), other.classOf(character)];
    if (!kinds.has(`${here} ${there}`)) kinds.set(`${here} ${there}`, [character, here, there]);
  }
  return [...kinds.values()];
}

/**
 * Looks for a card that both patterns fit, by walking through both at once, one kind of character at a time: what is found fits both
 * patterns themselves, and `apart` means that there is no such card of up to 32 characters, Koha's longest.
 */
export function findCommonCard(one: RegExp, other: RegExp): Common {
  const [a, b] = [automatonOf(one), automatonOf(other)];
  if (a === null || b === null) return { kind: 'unknown' };
  if (differEarly(a, b)) return { kind: 'apart' };
  const alphabet = alphabetOf(a, b);
  const seen = new Set<string>();
  let ahead: [string, Place, Place][] = [['', close(a, [a.start], 'start'), close(b, [b.start], 'start')]];
  let places = 0;
  let mayFit = false;
  for (let length = 0; length <= LONGEST_CARD && ahead.length > 0; length += 1) {
    const next: typeof ahead = [];
    for (const [card, here, there] of ahead) {
      if (card !== '' && fitsAtEnd(a, here) && fitsAtEnd(b, there)) {
        if (one.test(card) && other.test(card)) return { kind: 'overlap', card };
        mayFit = true;
      }
      for (const [character, kindHere, kindThere] of alphabet) {
        const [onHere, onThere] = [read(a, here, kindHere), read(b, there, kindThere)];
        const key = `${onHere.fits} ${onHere.states.join()} ${onThere.fits} ${onThere.states.join()}`;
        if (isDead(onHere) || isDead(onThere) || seen.has(key)) continue;
        if ((places += 1) > MOST_PLACES) return { kind: 'unknown' };
        seen.add(key);
        next.push([card + character, onHere, onThere]);
      }
    }
    ahead = next;
  }
  return mayFit ? { kind: 'unknown' } : { kind: 'apart' };
}

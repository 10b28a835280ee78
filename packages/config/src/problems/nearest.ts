import { closest, distance } from 'fastest-levenshtein';
import type { Path, ProblemList } from './config-error.ts';

/** The known word that `word` was probably meant to be, or null when none is near enough to be a help. */
export function nearest(word: string, known: readonly string[]): string | null {
  const spellings = new Map(known.map((candidate) => [candidate.toLowerCase(), candidate]));
  if (spellings.size === 0) return null;
  const candidate = closest(word.toLowerCase(), [...spellings.keys()]);
  const farthest = Math.max(2, Math.floor(candidate.length / 3));
  return distance(word.toLowerCase(), candidate) <= farthest ? (spellings.get(candidate) ?? null) : null;
}

/** What to add to a message about an unknown word: nothing where no known one is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === null ? '' : `, did you mean ${meant}?`;
}

/** Reports that an id is of no library, with the one that was probably meant. */
export function reportNoLibrary(id: string, ids: readonly string[], at: Path, problems: ProblemList): void {
  const allowed = ids.length === 0 ? 'the id of a library' : ids.join(', ');
  problems.add(at, `is no library${didYouMean(id, ids)}`, allowed);
}

import { closest, distance } from 'fastest-levenshtein';

/** The known word that `word` was probably meant to be, or null when none is near enough to be a help. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const candidate = closest(word.toLowerCase(), [...known]);
  return distance(word.toLowerCase(), candidate.toLowerCase()) <=
    Math.max(2, Math.floor(candidate.length / 3))
    ? candidate
    : null;
}

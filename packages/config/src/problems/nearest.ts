import { closest, distance } from 'fastest-levenshtein';

/** The known word that `word` was probably meant to be, or null when none is near enough to be a help. */
export function nearest(word: string, known: readonly string[]): string | null {
  const spellings = new Map(known.map((candidate) => [candidate.toLowerCase(), candidate]));
  if (spellings.size === 0) return null;
  const candidate = closest(word.toLowerCase(), [...spellings.keys()]);
  const farthest = Math.max(2, Math.floor(candidate.length / 3));
  return distance(word.toLowerCase(), candidate) <= farthest ? (spellings.get(candidate) ?? null) : null;
}

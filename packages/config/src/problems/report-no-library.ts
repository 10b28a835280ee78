import { nearest } from './nearest.ts';
import type { Path, ProblemList } from './problem-list.ts';

/** Reports that an id is of no library, with the one that was probably meant. */
export function reportNoLibrary(id: string, ids: readonly string[], at: Path, problems: ProblemList): void {
  const meant = nearest(id, ids);
  const hint = meant === null ? '' : `, did you mean ${meant}?`;
  problems.add(at, `is no library${hint}`, ids.length === 0 ? 'the id of a library' : ids.join(', '));
}

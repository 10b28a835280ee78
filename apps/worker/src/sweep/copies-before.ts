import type { SweepState, SweptHome } from '@passport/queue';

/**
 * The copies of a home that the sweep asks it about: those on record. Others say nothing of what the home shows, nor do those that are
 * merged into patrons of the lending library.
 */
export function askedAbout({ copies, findings }: SweptHome): number {
  const { NOT_ON_RECORD: unrecorded = 0, MERGED_INTO_NATIVE: merged = 0 } = findings;
  return copies - unrecorded - merged;
}

/** How many each home was asked about by a sweep that has ended; one that was cut short at a home did not count all of them. */
export function copiesOf(before: SweepState | null): Record<string, number> {
  const all = (id: string, home: SweptHome): number =>
    home.state === 'done' ? askedAbout(home) : Math.max(askedAbout(home), before?.copies_before[id] ?? 0);
  return Object.fromEntries(Object.entries(before?.homes ?? {}).map(([id, home]) => [id, all(id, home)]));
}

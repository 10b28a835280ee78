import type { SweepState, SweptHome } from '@passport/queue';

/** The copies of each home by a sweep that has ended; one that was cut short at a home did not count all of them. */
export function copiesOf(before: SweepState | null): Record<string, number> {
  const all = (id: string, { state, copies }: SweptHome): number =>
    state === 'done' ? copies : Math.max(copies, before?.copies_before[id] ?? 0);
  return Object.fromEntries(Object.entries(before?.homes ?? {}).map(([id, home]) => [id, all(id, home)]));
}

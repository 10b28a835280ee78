/**
 * Ends a run of a sweep for now: what it has done is saved, its job goes on from `untilMs` (in ms since 1970) without an attempt less,
 * and other libraries are served meanwhile. Thrown where a slice is over, and where a limit of the lending library leaves nothing
 * to do until then.
 */
export class SweepPaused extends Error {
  override readonly name = 'SweepPaused';
  readonly untilMs: number;

  constructor(untilMs: number) {
    super('the sweep goes on later');
    this.untilMs = untilMs;
  }
}

/** A sweep, or the refresh of one copy, has to wait: its lending library has used up an hourly limit. It goes on from where it was. */
export class SweepPaused extends Error {
  /** By the queue's clock. */
  readonly untilMs: number;

  constructor(library: string, untilMs: number) {
    super(`${library}: the hourly limit of values passed on is reached`);
    this.untilMs = untilMs;
  }
}

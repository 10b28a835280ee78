/** The lending library has been given as many values as it may within the hour: nothing more is passed on until then. */
export class SweepPaused extends Error {
  override readonly name = 'SweepPaused';
  /** In milliseconds since 1970. */
  readonly untilMs: number;
  constructor(untilMs: number) {
    super('the hourly limit of values passed on is reached');
    this.untilMs = untilMs;
  }
}

/** Used in a way that cannot work: exit code 2. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}

/** Used rightly, and yet it did not succeed: exit code 1. `details` are what `--json` adds to the message. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.details = details;
  }
}

import * as z from 'zod';

/** Nanoseconds and an offset. RFC 3339 sets no end to a fraction, and the text is kept with the job. */
const LONGEST_TIMESTAMP = '2026-11-25T09:00:00.123456789+00:00'.length;

/** A time in the body of a delivery. */
export const timestamp = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 date-time with an offset' })
  .max(LONGEST_TIMESTAMP, { error: `must have at most ${LONGEST_TIMESTAMP} characters` });

/** The first field of a body that does not fit, and why; never its value. */
export interface Fault {
  readonly field: string;
  readonly problem: string;
}

/** A body that is none of ours. */
export interface InvalidBody extends Fault {
  readonly kind: 'invalid';
}

export function firstFault({ issues: [first] }: z.ZodError): Fault {
  return { field: first?.path.join('.') ?? '', problem: first?.message ?? 'does not fit' };
}

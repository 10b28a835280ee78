import type { JobData, Outcome, Progress, Reason, WaitingReason } from '@passport/contract';

/** How the story ended for good. */
export interface Ending {
  readonly outcome: Outcome;
  readonly reasons?: readonly Reason[];
  /** Ids of home libraries. */
  readonly homes?: readonly string[];
  readonly patronId?: number;
  readonly checkout?: NonNullable<Progress['checkout']>;
  readonly problem?: NonNullable<Progress['problem']>;
  /** Set when data of a patron were disclosed, or may have been. */
  readonly disclosed?: {
    readonly home: string;
    readonly homeKey: string;
    readonly fields: readonly string[];
  };
}

/** What one run of a job came to. */
export type RunEnd =
  | { readonly kind: 'ended'; readonly ending: Ending }
  | {
      readonly kind: 'waiting';
      /** Who is waited for, and why. */
      readonly library: string;
      readonly reason: WaitingReason;
      /** What the library or the limit asks for; null: our own schedule. */
      readonly retryAfterMs: number | null;
      /** With `CIRCUIT_OPEN`: every library whose return is worth a try; when left out, `library`. */
      readonly closed?: readonly string[];
      /** What is done already, when only the loan is left. */
      readonly made?: NonNullable<JobData['made']>;
      /** How it ends when nobody has the patience any more. */
      readonly otherwise: Ending;
    };

/** The part of an ending that says: this patron's data went, or may have gone, to the lending library. */
export function disclosedBy({
  home,
  home_key: homeKey,
  fields,
}: NonNullable<JobData['sent']>): Required<Pick<Ending, 'homes' | 'disclosed'>> {
  return { homes: [home], disclosed: { home, homeKey, fields } };
}

export const ended = (ending: Ending): RunEnd => ({ kind: 'ended', ending });

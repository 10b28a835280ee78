import type { Outcome } from '@passport/contract';

/** What the worker does with an outcome; whether it is a result or a failure says the contract. */
interface OutcomeRow {
  /**
   * What it uses of its library's hourly quota, unless a record was sent (then a copy): `decision` when it names the home of a
   * patron, for that says something of them.
   */
  readonly uses: 'miss' | 'decision' | 'nothing';
  /** Nobody can say whether a copy that was sent is there: its home is named all the same. */
  readonly mayBeThere: boolean;
}

const DECISION = { uses: 'decision', mayBeThere: false } as const;
const NOTHING = { uses: 'nothing', mayBeThere: false } as const;

/** One row for each outcome: a new outcome does not compile without a row. */
export const OUTCOME_TABLE: Readonly<Record<Outcome, OutcomeRow>> = {
  COPIED: DECISION,
  ALREADY_LOCAL: DECISION,
  NOT_FOUND: { uses: 'miss', mayBeThere: false },
  NOT_A_CARD: NOTHING,
  AMBIGUOUS_HOME: DECISION,
  NOT_ELIGIBLE: DECISION,
  LOOKS_LIKE_LOCAL_PATRON: DECISION,
  LOCAL_CONFLICT: DECISION,
  HOME_GONE: DECISION,
  MERGED_INTO_NATIVE: DECISION,
  COPY_ANONYMIZED: DECISION,
  HOME_UNREACHABLE: { uses: 'nothing', mayBeThere: true },
  LENDING_UNREACHABLE: { uses: 'decision', mayBeThere: true },
  LENDING_REFUSED: DECISION,
  MISCONFIGURED: DECISION,
  TOO_LATE: DECISION,
};

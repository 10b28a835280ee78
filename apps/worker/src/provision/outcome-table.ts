import type { Outcome } from '@passport/contract';

/** What the worker does with an outcome; whether it is a result or a failure says the contract. */
interface OutcomeRow {
  /**
   * What it uses of its library's hour, unless a record was sent (then a copy): `verdict` when it names the home of a
   * patron, for that says something of them.
   */
  readonly uses: 'miss' | 'verdict' | 'nothing';
  /** Nobody can say whether a copy that was sent is there: its home is named all the same. */
  readonly mayBeThere: boolean;
}

const VERDICT = { uses: 'verdict', mayBeThere: false } as const;
const NOTHING = { uses: 'nothing', mayBeThere: false } as const;

/** One row for each outcome: the compiler asks for the row of a new one. */
export const OUTCOME_TABLE: Readonly<Record<Outcome, OutcomeRow>> = {
  COPIED: VERDICT,
  ALREADY_LOCAL: VERDICT,
  NOT_FOUND: { uses: 'miss', mayBeThere: false },
  NOT_A_CARD: NOTHING,
  AMBIGUOUS_HOME: VERDICT,
  NOT_ELIGIBLE: VERDICT,
  LOOKS_LIKE_LOCAL_PATRON: VERDICT,
  LOCAL_CONFLICT: VERDICT,
  HOME_GONE: VERDICT,
  MERGED_INTO_NATIVE: VERDICT,
  COPY_ANONYMIZED: VERDICT,
  HOME_UNREACHABLE: { uses: 'nothing', mayBeThere: true },
  LENDING_UNREACHABLE: { uses: 'verdict', mayBeThere: true },
  LENDING_REFUSED: VERDICT,
  MISCONFIGURED: VERDICT,
  TOO_LATE: VERDICT,
};

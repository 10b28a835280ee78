import type { Progress } from '@passport/contract';
import type { End, MadeCopy } from './result.ts';

/** What became of the copy. The kinds are the words of the audit. */
export type CopyOutcome =
  /** It is there: made now, or found (`ours`). */
  | {
      readonly kind: 'copied' | 'ours';
      readonly made: MadeCopy;
      /** The home key that it had until now, of the same patron. */
      readonly formerKey?: string;
    }
  /** It is not, or no longer, or hidden from us, and trying again would not help. */
  | NotMadeCopy;

export interface NotMadeCopy {
  readonly kind: NotMade;
  readonly end: End;
}

type NotMade =
  /** Somebody the lending library knows by itself, or an older copy without our home key. */
  | 'native'
  | 'conflict'
  /** Our copy, merged into a patron of the lending library's own. */
  | 'merged'
  /** Our copy, anonymised. */
  | 'anonymized'
  | 'look_alike'
  /** Koha could not store this record, however often it was tried. */
  | 'record_refused'
  | 'misconfigured'
  /** The lending library only observes: it would have been made, or changed. */
  | 'observed';

/** Needed to see a patron with our home key at another branch (`Koha/Patron.pm`, `can_see_patrons_from`). */
export const SEE_ALL = 'borrowers: view_borrower_infos_from_any_libraries';

export const CONFLICT: NotMadeCopy = { kind: 'conflict', end: { outcome: 'LOCAL_CONFLICT' } };

export const LOOK_ALIKE: NotMadeCopy = {
  kind: 'look_alike',
  end: { outcome: 'LOOKS_LIKE_LOCAL_PATRON' },
};

/** A set-up of the lending library that a person must fix. */
export const misconfigured = (
  library: string,
  { what, name }: Omit<NonNullable<Progress['problem']>, 'library'>,
): NotMadeCopy => ({
  kind: 'misconfigured',
  end: { outcome: 'MISCONFIGURED', problem: { library, what, name } },
});

/** What would have been done, and was not. */
export const observed = (
  category: string | null,
  reasons: readonly ('CARD_CHANGED' | 'REKEYED')[],
): NotMadeCopy => ({
  kind: 'observed',
  end: { outcome: 'OBSERVED', reasons, observed: { category } },
});

import type { ScanState } from './load-desk.ts';

/** The codes of the contract, as the service reports them. */
export const OUTCOMES = [
  'COPIED',
  'ALREADY_LOCAL',
  'NOT_FOUND',
  'NOT_A_CARD',
  'AMBIGUOUS_HOME',
  'NOT_ELIGIBLE',
  'LOOKS_LIKE_LOCAL_PATRON',
  'LOCAL_CONFLICT',
  'HOME_GONE',
  'MERGED_INTO_NATIVE',
  'COPY_ANONYMIZED',
  'HOME_UNREACHABLE',
  'LENDING_UNREACHABLE',
  'LENDING_REFUSED',
  'MISCONFIGURED',
  'TOO_LATE',
];
export const CHECKOUT_RESULTS = [
  'CHECKED_OUT',
  'ALREADY_CHECKED_OUT',
  'NEEDS_CONFIRMATION',
  'BLOCKED',
  'ITEM_NOT_FOUND',
  'TOO_LATE',
];
export const WAITS = ['NO_ANSWER', 'CIRCUIT_OPEN', 'BUSY', 'RATE_LIMITED', 'LIMIT_REACHED', 'SERVICE_UPDATE'];
export const LANGUAGES = ['en', 'fr', 'es', 'de'];

export const MIDLAND = { id: 'midland', name: 'Midland Public Library' };
export const LAKESIDE = { id: 'lakeside', name: 'Lakeside Library' };

/** A scan that went well, changed in what a test is about. */
export function aState(changed: Partial<ScanState> = {}): ScanState {
  return {
    event_id: 'scan_1',
    library: 'riverside',
    state: 'done',
    outcome: 'COPIED',
    reasons: [],
    homes: [MIDLAND],
    patron_id: 812,
    checkout: null,
    waiting_for: null,
    problem: null,
    message: 'Found.',
    ...changed,
  };
}

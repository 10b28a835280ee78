import {
  CHECKOUT_RESULTS as ALL_CHECKOUT_RESULTS,
  OUTCOMES,
  SHOWN_WAITING_REASONS,
} from '@passport/contract';
import type { ScanState } from './load-desk.ts';

export { OUTCOMES, SHOWN_WAITING_REASONS as WAITS };
/** The results of a checkout that was requested. */
export const CHECKOUT_RESULTS = ALL_CHECKOUT_RESULTS.filter((result) => result !== 'NOT_ASKED');
export const LANGUAGES = ['en', 'fr', 'es', 'de'];

export const MIDLAND = { id: 'midland', name: 'Midland Public Library' };
export const RIVERSIDE = { id: 'riverside', name: 'Riverside Public Library' };
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
    patron_id: changed.outcome === null ? null : 812,
    checkout: null,
    waiting_for: null,
    problem: null,
    libraries: [MIDLAND, RIVERSIDE],
    message: 'Found.',
    ...changed,
  };
}

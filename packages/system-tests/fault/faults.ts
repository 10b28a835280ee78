import type { FaultDraft } from '@passport/koha-double';

/** What happens to one call; a column of the matrix. */
export interface Trouble {
  readonly name: string;
  readonly fault: Omit<FaultDraft, 'operation'>;
}

/** The `retry-after` of a library, in seconds. */
export const RETRY_AFTER_S = 1;

export const TROUBLES: readonly Trouble[] = [
  { name: '500', fault: { kind: 'status', status: 500 } },
  {
    name: '429',
    fault: { kind: 'status', status: 429, headers: { 'retry-after': String(RETRY_AFTER_S) } },
  },
  { name: '503', fault: { kind: 'status', status: 503 } },
  { name: 'hang', fault: { kind: 'hang' } },
  { name: 'reset before', fault: { kind: 'reset_before' } },
  { name: 'reset after', fault: { kind: 'reset_after' } },
  { name: 'truncated', fault: { kind: 'truncate' } },
  { name: 'HTML', fault: { kind: 'html' } },
  { name: '401 once', fault: { kind: 'status', status: 401 } },
];

/** The moments at which a worker is killed, seen from the call it is making: not done yet, and done but not answered. */
export const DEATHS: readonly Trouble[] = [
  { name: 'killed before', fault: { kind: 'hang' } },
  { name: 'killed after', fault: { kind: 'hang', after: true } },
];

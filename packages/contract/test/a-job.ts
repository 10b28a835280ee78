import { type JobData, queuedProgress } from '@passport/contract';

/** The job of a scan at riverside without an item; each part may be replaced. */
export const aJob = (change: Partial<JobData> = {}): JobData => ({
  v: 1,
  event_id: 'evt_1',
  library: 'riverside',
  branch: 'MAIN',
  interface: 'staff',
  operator: null,
  scanned_at: '2026-11-25T09:00:00.000+00:00',
  received_ms: 1_795_597_200_000,
  age_at_delivery_ms: 0,
  encrypted_card: 'encrypted',
  encrypted_item: null,
  checkout_requested: false,
  card_hash: 'k1:abc',
  retried: null,
  sent: null,
  made: null,
  progress: queuedProgress('2026-11-25T09:00:01.000Z'),
  ...change,
});

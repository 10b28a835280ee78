import { type JobData, queuedProgress } from '@passport/contract';

const NOON = Date.parse('2026-11-25T12:00:00Z');
const AGE_MS = 2_000;

/** The job of a scan at riverside as the receiver makes it, two seconds after the scan; each part may be replaced. */
export function buildJob(change: Partial<JobData> = {}): JobData {
  const { received_ms: receivedMs = NOON } = change;
  return {
    v: 1,
    event_id: 'evt_1',
    library: 'riverside',
    branch: 'MAIN',
    interface: 'staff',
    operator: 51,
    scanned_at: new Date(receivedMs - AGE_MS).toISOString().replace('Z', '+00:00'),
    received_ms: receivedMs,
    age_at_delivery_ms: AGE_MS,
    encrypted_card: 'kid001:encrypted-card',
    encrypted_item: 'kid001:encrypted-item',
    checkout_requested: true,
    card_hash: 'kid001:card-hash',
    retried: null,
    sent: null,
    made: null,
    progress: queuedProgress(new Date(receivedMs).toISOString()),
    ...change,
  };
}

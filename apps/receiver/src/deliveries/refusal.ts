import type { Authentication } from './authentication.ts';

/** Which 404 a cancel is answered with: the event has not come, or it has and nothing is known of it any more. */
export const NOT_FOUND_REASONS = ['not_seen', 'not_kept'] as const;
export type NotFoundReason = (typeof NOT_FOUND_REASONS)[number];

/** Why a delivery, a follow-up or a look at a state has no effect. */
export type Refusal =
  | Exclude<Authentication, { kind: 'genuine' }>
  | { readonly kind: 'not_json' | 'id_reused' }
  | { readonly kind: 'not_found'; readonly reason?: NotFoundReason }
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string }
  | { readonly kind: 'rate_limited' | 'backlog_full' | 'unavailable'; readonly retryAfterMs: number };

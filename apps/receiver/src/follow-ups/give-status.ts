import { type LibraryStatus, parseStatusRequest } from '@passport/contract';
import { type FollowUpDeps, type FollowUpRefused, RETRY_MS, admitSigned } from './admit-signed.ts';
import type { Delivery } from '../deliveries/authentication.ts';
import type { ReadLibraryStatus } from './read-library-status.ts';

export type StatusGiven =
  | { readonly kind: 'status'; readonly status: LibraryStatus }
  | FollowUpRefused
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string };

/**
 * Answers a library how the service is for it, by the checks of a delivery in their order. Which library that is, the signature
 * says, and the body that the signature was made for this.
 */
export function giveStatus(
  deps: FollowUpDeps & { readonly read: ReadLibraryStatus },
): (delivery: Delivery) => Promise<StatusGiven> {
  return async (delivery) => {
    const sent = await admitSigned(deps, delivery, null);
    if (sent.kind !== 'admitted') return sent;
    const parsed = parseStatusRequest(sent.json);
    if (parsed.kind === 'invalid') {
      return { kind: 'invalid_field', field: parsed.field, problem: parsed.problem };
    }
    const status = await deps.read(sent.library, parsed.sinceMs);
    if (status === 'unavailable') return { kind: 'unavailable', retryAfterMs: RETRY_MS };
    return { kind: 'status', status };
  };
}

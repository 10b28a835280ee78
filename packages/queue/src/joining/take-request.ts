import {
  isJoinMac,
  JOIN_REQUEST_TOLERANCE_SECONDS,
  joinFingerprint,
  parseJoinRequest,
  readJoinEnvelope,
} from '@passport/contract';
import type { Invitations } from './invitations.ts';

/** What became of a request to join. Before its sender has shown that the invitation is theirs, all is `not_found`. */
export type JoinTaken =
  | {
      readonly kind: 'taken';
      readonly library: string;
      readonly fingerprint: string;
      /** False: it waits already. */
      readonly isNew: boolean;
    }
  | { readonly kind: 'not_found' | 'request_pending' | 'request_discarded' }
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string };

/**
 * Takes a request, as the JSON of its envelope, to where an operator finds it. `nowSeconds` where it comes over the network and must have been made just
 * now; null where somebody carries it. Rejects with Redis's error.
 */
export async function takeJoinRequest(
  invitations: Invitations,
  text: string,
  nowSeconds: number | null,
): Promise<JoinTaken> {
  const read = readJoinEnvelope(text);
  const proof = read === null ? null : await invitations.readToken(read.invitation);
  if (read === null || proof === null || !isJoinMac(proof.token, read.envelope)) return { kind: 'not_found' };
  const { body } = read.envelope;
  const parsed = parseJoinRequest(body);
  if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
  const aheadSeconds = nowSeconds === null ? 0 : parsed.request.sent_at - nowSeconds;
  if (Math.abs(aheadSeconds) > JOIN_REQUEST_TOLERANCE_SECONDS) {
    const off = `${Math.abs(aheadSeconds)} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} the service's clock`;
    const problem = `is ${off}, and may be ${JOIN_REQUEST_TOLERANCE_SECONDS} s off`;
    return { kind: 'invalid_field', field: 'sent_at', problem };
  }
  const kept = await invitations.keep(read.invitation, body);
  switch (kept) {
    case 'kept':
    case 'same':
      return {
        kind: 'taken',
        library: proof.library,
        fingerprint: joinFingerprint(body),
        isNew: kept === 'kept',
      };
    case 'other':
      return { kind: 'request_pending' };
    case 'discarded':
      return { kind: 'request_discarded' };
    case 'ended':
      return { kind: 'not_found' };
    default:
      return kept satisfies never;
  }
}

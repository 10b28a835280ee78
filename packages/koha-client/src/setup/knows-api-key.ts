import { parseRefusal } from '../errors/answer-body.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** Nobody's: the request goes without the key's own secret, which another library must never see. */
const NOBODYS_SECRET = 'patron-passport-asks-whether-you-know-this-key';

/**
 * Whether this Koha knows an API key by its id: Koha answers an unknown id and a wrong secret differently
 * (`Koha/OAuth.pm`, `_verify_client_cb`). Two libraries of which one knows the other's key are the same Koha. Null when the
 * answer is neither. Throws KohaError.
 */
export async function knowsApiKey(
  session: Session,
  clientId: string,
  options?: CallOptions,
): Promise<boolean | null> {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: NOBODYS_SECRET };
  const answer = await session.call(
    { operation: 'POST /oauth/token', method: 'POST', path: '/oauth/token', form, anonymous: true },
    options,
  );
  switch (parseRefusal(answer)?.error) {
    case 'access_denied':
      return true;
    case 'unauthorized_client':
      return false;
    default:
      return null;
  }
}

import { invalid, ok, problem, type Answer } from '../answer.ts';
import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';

/** A token answer and the client id of the request, for the call log. */
export interface TokenAnswer {
  readonly answer: Answer;
  readonly clientId: string | null;
}

/** OAuth2 client credentials: form-encoded only; a Basic header may carry the pair from 25.05 on. */
export function answerTokenRequest(
  double: Double,
  form: URLSearchParams | undefined,
  authorization: string | undefined,
): TokenAnswer {
  const grantType = form?.get('grant_type');
  if (grantType === null || grantType === undefined) {
    return { answer: invalid([{ message: 'Missing property.', path: '/grant_type' }]), clientId: null };
  }
  if (grantType !== 'client_credentials' || double.settings.preferences.RESTOAuth2ClientCredentials !== '1') {
    return { answer: problem(400, 'Unimplemented grant type'), clientId: null };
  }
  const { id, secret } = credentials(double, form, authorization);
  return { answer: grant(double, id, secret), clientId: id };
}

function grant(double: Double, id: string, secret: string): Answer {
  const user = double.db.patrons.withClient(id);
  const key = user?.api_keys.find((one) => one.client_id === id);
  if (user === undefined || key?.active !== true) return problem(403, 'unauthorized_client');
  if (key.secret !== secret) return problem(403, 'access_denied');
  const token = double.newId();
  const seconds = double.settings.token_life_seconds;
  double.tokens.add(token, {
    patronId: user.patron_id,
    clientId: id,
    endsAtMs: double.clock.nowMs() + seconds * 1000,
  });
  return ok({ access_token: token, token_type: 'Bearer', expires_in: seconds });
}

function credentials(
  double: Double,
  form: URLSearchParams | undefined,
  authorization: string | undefined,
): { readonly id: string; readonly secret: string } {
  if (isFrom(double.settings.release, '25.05') && authorization?.startsWith('Basic ') === true) {
    const plain = Buffer.from(authorization.slice('Basic '.length), 'base64').toString('utf8');
    const colon = plain.indexOf(':');
    if (colon > 0) return { id: plain.slice(0, colon), secret: plain.slice(colon + 1) };
  }
  return { id: form?.get('client_id') ?? '', secret: form?.get('client_secret') ?? '' };
}

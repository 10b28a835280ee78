import { invalid, ok, problem, type Answer } from '../answer.ts';
import type { CallEntry, Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-table.ts';
import { hasPermission } from './permissions.ts';

/** The user of a request, and the library as which they act. */
interface Caller {
  readonly user: PatronRow;
  readonly actingLibrary: string;
}

type Headers = Readonly<Record<string, string>>;

const nobody = problem(401, 'Authentication failure.');
const forbidden = (error: string): Answer => problem(403, error, { required_permissions: null });

/** Koha's order: a Bearer or Basic header rules out every other method, a staff cookie comes last. */
export function authenticate(
  double: Double,
  method: string,
  headers: Headers,
  entry: CallEntry,
): Caller | Answer {
  const cookie = sessionCookie(headers);
  if (cookie !== undefined && isForged(double, method, headers, cookie)) {
    return problem(403, 'Wrong CSRF token');
  }
  const [scheme = '', ...rest] = (headers['authorization'] ?? '').split(' ');
  const credentials = rest.join(' ').trim();
  if (rest.length > 0 && scheme === 'Bearer') {
    return actingFor(double, byToken(double, credentials, entry), headers);
  }
  if (rest.length > 0 && scheme === 'Basic') {
    return actingFor(double, byPassword(double, credentials), headers);
  }
  return cookie === undefined ? nobody : bySession(double, cookie);
}

/** The library as which the user acts: `x-koha-library` if the user may, else the user's own. */
function actingFor({ db, settings }: Double, user: PatronRow | Answer, headers: Headers): Caller | Answer {
  if ('status' in user) return user;
  const home = user.columns.library_id;
  const wanted = headers['x-koha-library'] ?? '';
  if (wanted === '') return { user, actingLibrary: home };
  const isBound =
    settings.preferences.IndependentBranches === '1' &&
    !hasPermission(user.permissions, 'superlibrarian', '1');
  if (db.libraries.has(wanted) && (!isBound || wanted === home)) return { user, actingLibrary: wanted };
  return forbidden(`Unauthorized attempt to set library to ${wanted}`);
}

function byToken(double: Double, token: string, entry: CallEntry): PatronRow | Answer {
  const found = double.tokens.find(token, double.clock.nowMs());
  if (found === undefined) return nobody;
  const user = double.db.patrons.get(found.patronId);
  // Koha looks the token's key up and reads its owner without checking that the key still exists. Of that 500 the validator of newer
  // servers makes a 501, as no route describes it there; an older one passes it on.
  if (user?.api_keys.some((key) => key.client_id === found.clientId) !== true) {
    const errors = [{ message: 'No response rule for "500".' }];
    return { status: 501, body: { errors, status: 501 } };
  }
  entry.client_id = found.clientId;
  return user;
}

function byPassword({ db, settings }: Double, encoded: string): PatronRow | Answer {
  if (settings.preferences.RESTBasicAuth !== '1') return problem(401, 'Basic authentication disabled');
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const [, name = '', password = ''] = /^([^:]*):([^]*)$/.exec(pair) ?? [];
  const user = db.patrons.first('userid', name);
  const isRight = user !== undefined && password !== '' && user.hidden['password'] === password;
  return isRight ? user : forbidden('Invalid password');
}

/** The branch of a staff session cannot be changed by a header. */
function bySession(double: Double, cookie: string): Caller | Answer {
  const session = double.sessions.get(cookie);
  if (session === undefined) return problem(401, 'Session has been expired.');
  if (double.settings.maintenance) return problem(503, 'System is under maintenance.');
  const user = double.db.patrons.get(session.patronId);
  return user === undefined ? nobody : { user, actingLibrary: session.libraryId };
}

/** Newer Kohas look at the cookie only, so a Bearer call that carries one is refused too. */
function isForged(double: Double, method: string, headers: Headers, cookie: string): boolean {
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return false;
  const session = double.sessions.get(cookie);
  return session === undefined || headers['csrf-token'] !== session.csrfToken;
}

/** The value of the `CGISESSID` cookie. */
export function sessionCookie(headers: Headers): string | undefined {
  return /(?:^|;\s*)CGISESSID=([^;]*)/.exec(headers['cookie'] ?? '')?.[1];
}

/** OAuth2 client credentials, in a form; a header with them, which counts from 25.05 on, is refused here. */
export function answerTokenRequest(
  double: Double,
  form: URLSearchParams | undefined,
  authorization: string | undefined,
  entry: CallEntry,
): Answer {
  if (authorization !== undefined) return problem(500, 'The stand-in takes a key from the form only');
  const grantType = form?.get('grant_type') ?? null;
  if (grantType === null) return invalid([{ message: 'Missing property.', path: '/grant_type' }]);
  const { RESTOAuth2ClientCredentials: isOn } = double.settings.preferences;
  if (grantType !== 'client_credentials' || isOn !== '1') return problem(400, 'Unimplemented grant type');
  const id = form?.get('client_id') ?? '';
  entry.client_id = id;
  return grant(double, id, form?.get('client_secret') ?? '');
}

const tokenSeconds = 3600;

function grant({ db, tokens, clock, newId }: Double, id: string, secret: string): Answer {
  const user = db.patrons.first('client', id);
  const key = user?.api_keys.find((one) => one.client_id === id);
  if (user === undefined || key?.active !== true) return problem(403, 'unauthorized_client');
  if (key.secret !== secret) return problem(403, 'access_denied');
  const token = newId();
  const endsAtMs = clock.nowMs() + tokenSeconds * 1000;
  tokens.add(token, { patronId: user.patron_id, clientId: id, endsAtMs });
  return ok({ access_token: token, token_type: 'Bearer', expires_in: tokenSeconds });
}

import { problem, type Answer } from '../answer.ts';
import type { Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import { isFrom } from '../release.ts';
import { hasPermission } from './permissions.ts';

/** The user of a request. `libraryId` is set for a staff session, whose branch cannot be changed by a header. */
export interface Identity {
  readonly user: PatronRow;
  readonly clientId: string | null;
  readonly libraryId: string | null;
}

export type Authenticated =
  | { readonly kind: 'user'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly answer: Answer };

type Headers = Readonly<Record<string, string>>;

const refused = (answer: Answer): Authenticated => ({ kind: 'refused', answer });
const nobody = refused(problem(401, 'Authentication failure.'));
const forbidden = (error: string): Authenticated =>
  refused(problem(403, error, { required_permissions: null }));

/** Koha's order: a Bearer or Basic header rules out every other method, a staff cookie comes last. */
export function authenticate(double: Double, method: string, headers: Headers): Authenticated {
  const cookie = sessionCookie(headers);
  if (cookie !== undefined && isForged(double, method, headers, cookie)) {
    return refused(problem(403, 'Wrong CSRF token'));
  }
  const header = headers['authorization'] ?? '';
  if (header.startsWith('Bearer ')) return byToken(double, header.slice('Bearer '.length).trim());
  if (header.startsWith('Basic ')) return byPassword(double, header.slice('Basic '.length).trim());
  return cookie === undefined ? nobody : bySession(double, cookie);
}

/** The library as which the user acts: `x-koha-library` if the user may, else the user's own. */
export function actingLibrary(double: Double, identity: Identity, headers: Headers): string | Answer {
  const home = identity.user.columns.library_id;
  if (identity.libraryId !== null) return identity.libraryId;
  const wanted = headers['x-koha-library'];
  if (wanted === undefined || wanted === '') return home;
  const isBound =
    double.settings.preferences.IndependentBranches === '1' &&
    !hasPermission(identity.user.permissions, 'superlibrarian', '1');
  if (double.db.libraries.has(wanted) && (!isBound || wanted === home)) return wanted;
  return problem(403, `Unauthorized attempt to set library to ${wanted}`, { required_permissions: null });
}

function byToken(double: Double, token: string): Authenticated {
  const found = double.tokens.find(token, double.clock.nowMs());
  if (found === undefined) return nobody;
  const user = double.db.patrons.get(found.patronId);
  // Koha looks the token's key up and reads its owner without checking that the key still exists. Of that 500 the validator of newer
  // servers makes a 501, as no route describes it there; an older one passes it on.
  if (user?.api_keys.some((key) => key.client_id === found.clientId) !== true) {
    const errors = [{ message: 'No response rule for "500".' }];
    return refused({ status: 501, body: { errors, status: 501 } });
  }
  return { kind: 'user', identity: { user, clientId: found.clientId, libraryId: null } };
}

function byPassword(double: Double, encoded: string): Authenticated {
  if (double.settings.preferences.RESTBasicAuth !== '1') {
    return refused(problem(401, 'Basic authentication disabled'));
  }
  const [, name = '', password = ''] =
    /^([^:]*):([^]*)$/.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  const { patrons } = double.db;
  const isLater = isFrom(double.settings.release, '25.05');
  const user = patrons.withUserid(name) ?? (isLater ? patrons.withCard(name) : undefined);
  if (user === undefined || password === '' || user.hidden['password'] !== password) {
    return forbidden('Invalid password');
  }
  const ends = user.hidden['password_expiration_date'];
  if (typeof ends === 'string' && ends < double.clock.today()) return forbidden('Password has expired');
  return { kind: 'user', identity: { user, clientId: null, libraryId: null } };
}

function bySession(double: Double, cookie: string): Authenticated {
  const session = double.sessions.get(cookie);
  if (session === undefined) return refused(problem(401, 'Session has been expired.'));
  if (double.settings.maintenance) return refused(problem(503, 'System is under maintenance.'));
  const user = double.db.patrons.get(session.patronId);
  if (user === undefined) return nobody;
  return { kind: 'user', identity: { user, clientId: null, libraryId: session.libraryId } };
}

/** Newer Kohas look at the cookie only, so a Bearer call that carries one is refused too. */
function isForged(double: Double, method: string, headers: Headers, cookie: string): boolean {
  if (!double.settings.api_csrf_check || ['GET', 'HEAD', 'OPTIONS'].includes(method)) return false;
  const session = double.sessions.get(cookie);
  return session === undefined || headers['csrf-token'] !== session.csrfToken;
}

/** The value of the `CGISESSID` cookie. */
export function sessionCookie(headers: Headers): string | undefined {
  return /(?:^|;\s*)CGISESSID=([^;]*)/.exec(headers['cookie'] ?? '')?.[1];
}

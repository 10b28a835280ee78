import { createHmac } from 'node:crypto';
import { sessionCookie } from '../auth/authenticate.ts';
import { putPatron } from '../control/put-patron.ts';
import type { Double } from '../double.ts';
import type { StaffSession } from './staff-sessions.ts';

export const deskCard = 'DESK';

const deskUser = {
  surname: 'Desk',
  firstname: 'Circulation',
  userid: 'desk',
  library_id: 'MAIN',
  category_id: 'STAFF',
  expiry_date: '2099-12-31',
  permissions: ['circulate:1', 'borrowers:1', 'catalogue:1', 'tools:1', 'plugins:1'],
};

const ownIds = /^[\w-]{8,64}$/;

/**
 * The session of whoever comes: a demo needs no login. A cookie of an earlier start, or of another double on
 * the same host (cookies do not distinguish ports), is taken over rather than replaced, so that several can be open.
 */
export function openSession(double: Double, headers: Readonly<Record<string, string>>): StaffSession {
  const cookie = sessionCookie(headers);
  const known = cookie === undefined ? undefined : double.sessions.get(cookie);
  if (known !== undefined && double.db.patrons.get(known.patronId) !== undefined) return known;
  const id = cookie !== undefined && ownIds.test(cookie) ? cookie : double.newId();
  const desk = double.db.patrons.withCard(deskCard) ?? putPatron(double, deskCard, deskUser);
  const session: StaffSession = {
    id,
    csrfToken: createHmac('sha256', double.tokenSecret).update(id).digest('hex'),
    patronId: desk.patron_id,
    libraryId: desk.columns.library_id,
  };
  double.sessions.put(session);
  return session;
}

/** What a form or script sent must prove that it came from a page of this session (Koha 24.05 and later). */
export function isForgery(
  session: StaffSession,
  method: string,
  fields: URLSearchParams,
  header: string | undefined,
): boolean {
  const op = fields.get('op') ?? '';
  if (method === 'GET') return op.startsWith('cud-');
  if (op !== '' && !op.startsWith('cud-')) return true;
  return (fields.get('csrf_token') ?? header) !== session.csrfToken;
}

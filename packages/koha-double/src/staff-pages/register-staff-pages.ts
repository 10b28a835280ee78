import { createHmac, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sessionCookie } from '../auth/authenticate.ts';
import { putPatron } from '../control/put-rows.ts';
import type { Double, StaffSession } from '../double.ts';
import { splitUrl } from '../api/read-request.ts';
import { isFrom } from '../release.ts';
import { assets } from './assets.ts';
import { circulationPage, returnsPage, selfCheckPage } from './circulation-pages.ts';
import { homePage, setLibraryPage } from './home-page.ts';
import { renderPage } from './layout.ts';
import { detailsPage, memberEntryPage, memberPage } from './patron-pages.ts';
import { pluginsPage, runPluginPage } from './plugins-page.ts';
import { paths, type PageRequest, type StaffPage } from './staff-page.ts';

const pages: readonly StaffPage[] = [
  homePage,
  circulationPage,
  memberPage,
  memberEntryPage,
  detailsPage,
  returnsPage,
  selfCheckPage,
  setLibraryPage,
  pluginsPage,
  runPluginPage,
];

/** Puts the staff pages on the server of all doubles; `doubleOf` says whose a request is. Nobody has to log in: it is a stand-in. */
export function registerStaffPages(
  app: FastifyInstance,
  doubleOf: (request: FastifyRequest) => Double,
): void {
  for (const page of pages) {
    for (const url of page.paths) {
      app.route({
        method: ['GET', 'POST'],
        url,
        handler: (request, reply) => answer(doubleOf(request), page, request, reply),
      });
    }
  }
  app.get('/cgi-bin/koha/changelanguage.pl', (request, reply) => {
    const { language } = request.query as { readonly language?: string };
    return reply
      .header('set-cookie', `KohaOpacLanguage=${languageOf(language) ?? 'en'}; Path=/; SameSite=Lax`)
      .redirect('/');
  });
  for (const [path, [type, text]] of Object.entries(assets)) {
    app.get(path, (_request, reply) => reply.type(type).send(text));
  }
  app.get(paths.kpz, (request, reply) => {
    const { kpzPath: kpz } = doubleOf(request).files;
    if (kpz === undefined || !existsSync(kpz)) return reply.code(404).type('text/plain').send('Not found');
    return reply
      .header('content-disposition', `attachment; filename="${basename(kpz)}"`)
      .type('application/octet-stream')
      .send(createReadStream(kpz));
  });
}

async function answer(
  double: Double,
  page: StaffPage,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const headers = request.headers as Record<string, string>;
  const session = openSession(double, headers);
  reply.header('set-cookie', `CGISESSID=${session.id}; Path=/; HttpOnly; SameSite=Lax`);
  reply.header('cache-control', 'no-store');
  const sent = pageRequest(double, session, request);
  addPolicy(sent, reply);
  if (isForgery(sent, headers['csrf-token'])) {
    return reply.code(403).type('text/plain; charset=utf-8').send('Wrong CSRF token');
  }
  const found = await page.answer(sent);
  if (found.kind === 'redirect') return reply.redirect(found.to, 302);
  reply.type('text/html; charset=utf-8');
  return found.kind === 'document'
    ? reply.send(found.html)
    : reply.code(found.status).send(renderPage(sent, found.page));
}

/** `Koha/Middleware/ContentSecurityPolicy.pm`, call. */
function addPolicy({ double, nonce }: PageRequest, reply: FastifyReply): void {
  const policy = double.settings.content_security_policy.replaceAll('_CSP_NONCE_', nonce);
  if (policy !== '') reply.header('content-security-policy', policy);
}

function languageOf(sent: string | null | undefined): string | undefined {
  return typeof sent === 'string' && /^[A-Za-z-]{2,12}$/.test(sent) ? sent : undefined;
}

function pageRequest(double: Double, session: StaffSession, request: FastifyRequest): PageRequest {
  const { path, query } = splitUrl(request);
  const isPost = request.method === 'POST';
  const body = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
  const form = isPost ? body : query;
  const fields = new URLSearchParams(form);
  const cookie = /(?:^|;\s*)KohaOpacLanguage=([A-Za-z-]{2,12})/.exec(request.headers.cookie ?? '');
  const language = languageOf(fields.get('language')) ?? cookie?.[1] ?? 'en';
  return {
    double,
    session,
    method: isPost ? 'POST' : 'GET',
    path,
    fields,
    language,
    form,
    isFromElsewhere: ['cross-site', 'same-site'].includes(String(request.headers['sec-fetch-site'])),
    nonce: newNonce(),
  };
}

/** One of `Koha/ContentSecurityPolicy.pm`: ten of `\w`. */
const newNonce = (): string => randomBytes(12).toString('base64url').replaceAll('-', '_').slice(0, 10);

const deskCard = 'DESK';

const deskUser = {
  surname: 'Desk',
  firstname: 'Circulation',
  userid: 'desk',
  library_id: 'MAIN',
  category_id: 'STAFF',
  expiry_date: '2099-12-31',
  permissions: ['circulate:1', 'borrowers:1', 'catalogue:1', 'tools:1', 'plugins:1'],
};

/**
 * The session of whoever comes: a demo needs no login. A cookie of an earlier start, or of another double on
 * the same host (cookies do not distinguish ports), is taken over rather than replaced, so that several can be open.
 */
function openSession(double: Double, headers: Readonly<Record<string, string>>): StaffSession {
  const cookie = sessionCookie(headers) ?? '';
  const known = double.sessions.get(cookie);
  if (known !== undefined && double.db.patrons.get(known.patronId) !== undefined) return known;
  const id = /^[\w-]{8,64}$/.test(cookie) ? cookie : double.newId();
  const desk = double.db.patrons.withCard(deskCard) ?? putPatron(double, deskCard, deskUser);
  const session: StaffSession = {
    id,
    csrfToken: createHmac('sha256', double.tokenSecret).update(id).digest('hex'),
    patronId: desk.patron_id,
    libraryId: desk.columns.library_id,
  };
  double.sessions.set(id, session);
  return session;
}

/** What a form or script sent must prove that it came from a page of this session (Koha 24.05 and later). */
function isForgery({ double, session, method, fields }: PageRequest, header: string | undefined): boolean {
  if (!isFrom(double.settings.release, '24.05')) return false;
  const op = fields.get('op') ?? '';
  if (method === 'GET') return op.startsWith('cud-');
  if (op !== '' && !op.startsWith('cud-')) return true;
  return (fields.get('csrf_token') ?? header) !== session.csrfToken;
}

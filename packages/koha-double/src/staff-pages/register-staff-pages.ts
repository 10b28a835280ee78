import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Double } from '../double.ts';
import { circulationPage } from './circulation-page.ts';
import { detailsPage } from './details-page.ts';
import { homePage, kpzPath, setLibraryPage } from './home-page.ts';
import { renderPage } from './layout.ts';
import { stylePath } from './paths.ts';
import { headerSearchPath, headerSearchScript } from './header-search.ts';
import { memberEntryPage } from './member-entry-page.ts';
import { memberPage } from './member-page.ts';
import { memberSearchPath, memberSearchScript } from './member-search-script.ts';
import { isForgery, openSession } from './open-session.ts';
import { pluginsPage } from './plugins-page.ts';
import { returnsPage } from './returns-page.ts';
import { runPluginPage } from './run-plugin-page.ts';
import { selfCheckPage } from './self-check-page.ts';
import type { PageRequest, StaffPage } from './staff-page.ts';
import { styles } from './styles.ts';

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

/** Puts the staff pages on the server. Nobody has to log in: it is a stand-in. */
export function registerStaffPages(app: FastifyInstance, double: Double): void {
  for (const page of pages) {
    for (const url of page.paths) {
      app.route({
        method: ['GET', 'POST'],
        url,
        handler: (request, reply) => answer(double, page, request, reply),
      });
    }
  }
  app.get('/cgi-bin/koha/changelanguage.pl', (request, reply) => {
    const { language } = request.query as { readonly language?: string };
    return reply
      .header('set-cookie', `KohaOpacLanguage=${languageOf(language) ?? 'en'}; Path=/; SameSite=Lax`)
      .redirect('/');
  });
  app.get(stylePath, (_request, reply) => reply.type('text/css; charset=utf-8').send(styles));
  app.get(memberSearchPath, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(memberSearchScript),
  );
  app.get(headerSearchPath, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(headerSearchScript),
  );
  app.get(kpzPath, (_request, reply) => {
    const { kpz } = double.files;
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
  addPolicy(double, reply);
  const sent = pageRequest(double, session, request);
  if (isForgery(session, sent.method, sent.fields, headers['csrf-token'])) {
    return reply.code(403).type('text/plain; charset=utf-8').send('Wrong CSRF token');
  }
  const found = await page.answer(sent);
  if (found.kind === 'redirect') return reply.redirect(found.to, 302);
  if (found.kind === 'document') return reply.type('text/html; charset=utf-8').send(found.html);
  return reply
    .code(found.status ?? 200)
    .type('text/html; charset=utf-8')
    .send(renderPage(sent, found.page));
}

/** `Koha/Middleware/ContentSecurityPolicy.pm`, call; the nonce is one of `Koha/ContentSecurityPolicy.pm`: ten of `\w`. */
function addPolicy({ settings }: Double, reply: FastifyReply): void {
  const nonce = randomBytes(12).toString('base64url').replaceAll('-', '_').slice(0, 10);
  const policy = settings.content_security_policy.replaceAll('_CSP_NONCE_', nonce);
  if (policy !== '') reply.header('content-security-policy', policy);
}

function languageOf(sent: string | null | undefined): string | undefined {
  return typeof sent === 'string' && /^[A-Za-z-]{2,12}$/.test(sent) ? sent : undefined;
}

function pageRequest(double: Double, session: PageRequest['session'], request: FastifyRequest): PageRequest {
  const [path = '', search = ''] = request.url.split('?');
  const isPost = request.method === 'POST';
  const form = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
  const fields = new URLSearchParams(isPost ? form : search);
  const cookie = /(?:^|;\s*)KohaOpacLanguage=([A-Za-z-]{2,12})/.exec(request.headers.cookie ?? '');
  const language = languageOf(fields.get('language')) ?? cookie?.[1] ?? 'en';
  const sent = isPost ? form : search;
  return { double, session, method: isPost ? 'POST' : 'GET', path, fields, language, form: sent };
}

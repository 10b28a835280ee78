import { installedText } from '@passport/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Person } from '../login/login.ts';
import { requirePerson } from '../login/require-login.ts';
import { type Html, html, type HtmlValue } from './html.ts';
import { navLink } from './parts.ts';

interface PageFrame {
  readonly basePath: string;
  readonly person: Person;
  /** The consortium. */
  readonly consortium: string;
  readonly title: string;
  /** Seconds after which the page reloads; null: never. */
  readonly refreshSeconds?: number | null;
  /** The part of the site that this page belongs to. */
  readonly here: 'overview' | 'events' | 'statistics' | 'sweeps' | 'patrons' | 'audit' | null;
}

/** A whole page: head, header with the way around, content. No script, nothing from elsewhere. */
function renderPage(frame: PageFrame, content: HtmlValue): string {
  const { basePath, title, consortium, refreshSeconds = null } = frame;
  const refresh =
    refreshSeconds === null ? null : html`<meta http-equiv="refresh" content="${refreshSeconds}" />`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        ${refresh}
        <title>${title} · ${consortium}</title>
        <link rel="icon" href="${basePath}/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="${basePath}/assets/dashboard.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        ${header(frame)}
        <main id="content">${content}</main>
      </body>
    </html>`.toString();
}

function header({ basePath, person, consortium, here }: PageFrame): Html {
  const link = (path: string, text: string, name: PageFrame['here']): Html =>
    navLink(`${basePath}${path}`, text, here === name);
  return html`<header class="top">
    <div class="brand">
      <img src="${basePath}/assets/icon.svg" alt="" width="28" height="28" />
      <div>
        <strong>Patron Passport</strong>
        <span class="quiet">${consortium}</span>
      </div>
    </div>
    <nav aria-label="Dashboard">
      ${link('/', 'Overview', 'overview')} ${link('/events', 'Events', 'events')}
      ${link('/statistics', 'Statistics', 'statistics')} ${link('/sweeps', 'Sweeps', 'sweeps')}
      ${link('/patrons', 'Patrons elsewhere', 'patrons')} ${link('/audit', 'Audit', 'audit')}
      ${person.libraries === 'all' ? html`<a href="${basePath}/board/queue/scans">Queue board</a>` : null}
    </nav>
    <p class="who">
      <span class="quiet">Logged in as</span> ${person.user}
      <span class="role">${person.role === 'operator' ? 'operator' : 'read-only'}</span>
      ${person.libraries === 'all' ? null : html`<span class="role">${person.libraries.join(', ')} only</span>`}
      ${person.isByProxy === true ? null : html`<a href="${basePath}/logout">Log out</a>`}
    </p>
  </header>`;
}

/** Sends a whole page. */
export type SendPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  page: Pick<PageFrame, 'title' | 'here' | 'refreshSeconds'>,
  content: HtmlValue,
) => FastifyReply;

/** Builds how pages of this dashboard are sent: the commands that they name are as they are typed in this installation. */
export function buildSendPage({
  basePath,
  consortium,
  install,
}: {
  readonly basePath: string;
  readonly consortium: string;
  readonly install: string | undefined;
}): SendPage {
  // Between tags alone: what a form sends back stays as it was typed.
  const asTyped = (page: string): string =>
    page.replaceAll(/>[^<]+/g, (text) => installedText(text, install));
  return (request, reply, page, content) =>
    reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(asTyped(renderPage({ basePath, consortium, person: requirePerson(request), ...page }, content)));
}

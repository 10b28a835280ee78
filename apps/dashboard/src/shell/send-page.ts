import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HtmlValue } from './html.ts';
import { type PageFrame, renderPage } from './layout.ts';
import { requirePerson } from '../login/require-login.ts';

/** Sends a whole page. */
export type SendPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  page: Pick<PageFrame, 'title' | 'here' | 'refreshSeconds'>,
  content: HtmlValue,
) => FastifyReply;

/** Builds how pages of this dashboard are sent. */
export function buildSendPage(basePath: string, consortium: string): SendPage {
  return (request, reply, page, content) =>
    reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(renderPage({ basePath, consortium, person: requirePerson(request), ...page }, content));
}

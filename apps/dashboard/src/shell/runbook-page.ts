import { installedCommand } from '@passport/contract';
import type { FastifyInstance } from 'fastify';
import { Html, html } from './html.ts';
import type { SendPage } from './layout.ts';
import type { PageDeps } from './page-deps.ts';

/** Nothing of a library is in it: whoever may log in may read it. */
const FOR_EVERYBODY = { config: { scope: 'nothing' } } as const;

/** `/runbook`, where messages and alerts lead to: each heading has its id. The commands are those of this installation. */
export function registerRunbookPage(
  app: FastifyInstance,
  { runbook, install }: PageDeps,
  send: SendPage,
): void {
  const content = html`<article class="runbook">${new Html(withCommands(runbook, install))}</article>`;
  app.get('/runbook', FOR_EVERYBODY, (request, reply) =>
    send(request, reply, { title: 'Runbook', here: null }, content),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};
const plain = (text: string): string =>
  text.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? '');

/** Each command in the text as it is typed here. */
const withCommands = (runbook: string, install: string | undefined): string =>
  runbook.replaceAll(/<code>([^<]*)<\/code>/g, (_, text: string) => {
    const typed = installedCommand(plain(text), install);
    return html`<code>${typed}</code>`.toString();
  });

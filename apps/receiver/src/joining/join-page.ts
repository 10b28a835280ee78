import { createHash } from 'node:crypto';
import type { JoinFiles } from './join-files.ts';

const STYLE = `body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1,h2,h3{line-height:1.25}a{color:#005a9c}code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
pre{overflow:auto;padding:.75rem;background:#f2f2f2}table{border-collapse:collapse;display:block;overflow:auto}
td,th{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}
@media (prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#8ec7ff}pre{background:#262626}}`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Nothing runs on these pages: behind the # of the address is the invitation, which no script may see. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const page = (title: string, body: string): string =>
  `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${title}</title><style>${STYLE}</style></head>\n<body>${body}</body></html>\n`;

/** The page that a join link opens in a browser. It is the same for every link: what is behind its # does not come here. */
export function joinPage({ guide, plugin }: JoinFiles): string {
  const download =
    plugin === null
      ? 'The file <code>.kpz</code> of the plugin: your operator has it.'
      : `<a href="join/${plugin.name}" download>${plugin.name}</a>, the plugin for Koha.`;
  const reading =
    guide === null ? '' : '<li><a href="join/guide">The guide</a>: who does what in Koha, step by step.</li>';
  return page(
    'Join the consortium',
    `<main><h1>Your library is invited to join</h1>
<p>The address of this page, as your browser shows it, is your invitation. It works once, and only for your library.
Give it to nobody else: whoever has it can ask in your place.</p>
<ol>
<li>In Koha, install the plugin <em>Patron Passport</em>: <em>Administration</em>, <em>Manage plugins</em>, <em>Upload plugin</em>.</li>
<li>Open <em>Configure</em> among its <em>Actions</em>.</li>
<li>Copy the whole address of this page, with everything behind the <code>#</code>, into the field for the invitation there.</li>
<li>Send the request. The page then shows a fingerprint of four groups of five digits.</li>
<li>Your operator telephones you: read the fingerprint to them. If they see another one, somebody else has your invitation.</li>
</ol>
<h2>Downloads</h2>
<ul><li>${download}</li>${reading}</ul></main>`,
  );
}

/** The guide as a page. */
export const guidePage = (guide: string): string => page('Set up Koha for Patron Passport', guide);

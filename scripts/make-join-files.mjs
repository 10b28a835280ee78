// `node ../../scripts/make-join-files.mjs` in the directory of the receiver, after its build: what a library that is invited downloads there. dist/join gets the
// guide as a page and, where Perl is, the plugin.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked } from 'marked';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = 'dist/join';

/** An id as GitHub makes it of a heading: the guide's own links use these. */
const idOf = (text) =>
  text
    .toLowerCase()
    .replaceAll(/<[^>]*>|[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');

const marked = new Marked({
  renderer: {
    heading({ tokens, depth, text }) {
      return `<h${depth} id="${idOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    // Other pages of the documentation are not here.
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      return /^(?:#|https:)/.test(href) ? `<a href="${href}">${text}</a>` : text;
    },
  },
});

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/guide.html`, marked.parse(readFileSync(join(ROOT, 'docs/koha-setup.md'), 'utf8')));
const { status } = spawnSync('perl', [join(ROOT, 'apps/koha-plugin/package.pl'), FOLDER], {
  stdio: ['ignore', 'ignore', 'ignore'],
});
if (status !== 0) console.error('without Perl and Modern::Perl the receiver has no plugin to download');

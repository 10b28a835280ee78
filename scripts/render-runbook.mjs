// The runbook as the dashboard serves it: docs/runbook.md as HTML, made when the dashboard is bundled. Headings have the ids that
// links to the page on GitHub use; links to other pages of the documentation name their file, which no dashboard serves.
import { Marked } from 'marked';

const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const renderer = {
  heading({ tokens, depth, text }) {
    return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
  },
  link({ href, tokens }) {
    const text = this.parser.parseInline(tokens);
    if (/^(?:#|https:)/.test(href)) return `<a href="${href}">${text}</a>`;
    const file = href.replace(/^\.\.\//, '').replace(/^(?!deploy\/|README|packages\/|apps\/)/, 'docs/');
    return `${text} (<code>${file}</code>)`;
  },
};

/** The runbook's markdown as HTML. */
export const renderRunbook = (markdown) => new Marked({ renderer, async: false }).parse(markdown);

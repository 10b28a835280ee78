// A page of docs/ as HTML, for the processes that serve one: the runbook of the dashboard, the guide of the receiver. Headings have the ids that
// GitHub gives them, which the links within a page use; links to other pages of the documentation name their file, which no process serves.
import { Marked } from 'marked';

const idOf = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');

const renderer = {
  heading({ tokens, depth, text }) {
    return `<h${depth} id="${idOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
  },
  link({ href, tokens }) {
    const text = this.parser.parseInline(tokens);
    if (/^(?:#|https:)/.test(href)) return `<a href="${href}">${text}</a>`;
    const file = href.replace(/^\.\.\//, '').replace(/^(?!deploy\/|README|packages\/|apps\/)/, 'docs/');
    return `${text} (<code>${file}</code>)`;
  },
};

/** The Markdown of a page in docs/ as HTML, without a page around it. */
export const renderDocument = (markdown) => new Marked({ renderer, async: false }).parse(markdown);

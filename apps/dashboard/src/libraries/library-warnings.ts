import type { Overview } from '../overview/read-overview.ts';
import { type Html, html } from '../shell/html.ts';

/** What the configuration makes one wonder about, under the table of libraries; nothing where there is nothing. */
export function libraryWarnings({ libraries }: Overview): Html | null {
  const lines = libraries.flatMap(({ name, warnings = [] }) =>
    warnings.map(({ text }) => html`<li><strong>${name}</strong>: ${text}</li>`),
  );
  if (lines.length === 0) return null;
  return html`<div class="advice" role="note" aria-label="Warnings about the configuration">
    <p>The configuration is valid, but may not be what you intend:</p>
    <ul>
      ${lines}
    </ul>
  </div>`;
}

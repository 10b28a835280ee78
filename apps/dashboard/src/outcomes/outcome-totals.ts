import type { totalsOf } from './outcome-hours.ts';
import { type Html, html } from '../shell/html.ts';

/** Each outcome of the last day with its number. */
export function outcomeTotals(totals: ReturnType<typeof totalsOf>): Html {
  if (totals.length === 0) return html`<p class="empty">No scan ended in the last 24 hours.</p>`;
  return html`<dl class="totals">
    ${totals.map(
      ({ outcome, count }) =>
        html`<div>
          <dt>${outcome}</dt>
          <dd>${count}</dd>
        </div>`,
    )}
  </dl>`;
}

import { type Html, html } from './html.ts';

/** A figure with its name and what it counts, in a list of tiles. */
export const tile = (label: string, value: number, note: string, className = ''): Html =>
  html`<li class="tile ${className} ${value === 0 ? 'none' : 'some'}">
    <div>
      <span class="value">${value}</span>
      <span class="label">${label}</span>
      <span class="quiet">${note}</span>
    </div>
  </li>`;

import { type HourOfOutcomes, OUTCOME_GROUPS, type OutcomeGroup } from '../outcome-groups.ts';
import { type Html, html } from './html.ts';

const WIDTH = 720;
const HEIGHT = 200;
const LEFT = 34;
const TOP = 14;
const BOTTOM = 28;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
const SLOT = (WIDTH - LEFT) / 24;
const BAR = SLOT * 0.72;
/** How many hours ago the axis names. */
const TICK_HOURS = [23, 18, 12, 6, 0];

/** Outcomes of the last day by the hour: a picture, a legend with totals, and a table that says the same. */
export function outcomeChart(hours: readonly HourOfOutcomes[]): Html {
  const top = niceTop(Math.max(...hours.map(sumOf)));
  return html`<figure class="chart">
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      role="img"
      aria-labelledby="chart-title"
      preserveAspectRatio="xMidYMid meet"
    >
      <title id="chart-title">${summary(hours)}</title>
      ${gridLines(top)} ${hours.map((hour, index) => bar(hour, index, top))} ${hourTicks()}
    </svg>
    <figcaption>
      <ul class="legend">
        ${OUTCOME_GROUPS.map(
          (group) =>
            html`<li>
              <span class="swatch ${classOf(group)}"></span>${group} <strong>${totalOf(hours, group)}</strong>
            </li>`,
        )}
      </ul>
    </figcaption>
    <details>
      <summary>The same as a table</summary>
      ${table(hours)}
    </details>
  </figure>`;
}

function bar(hour: HourOfOutcomes, index: number, top: number): Html {
  const x = LEFT + index * SLOT + (SLOT - BAR) / 2;
  let y = TOP + PLOT_HEIGHT;
  const parts = OUTCOME_GROUPS.map((group) => {
    const height = (hour.counts[group] / top) * PLOT_HEIGHT;
    y -= height;
    if (height === 0) return null;
    return html`<rect
      class="${classOf(group)}"
      x="${x.toFixed(1)}"
      y="${y.toFixed(1)}"
      width="${BAR.toFixed(1)}"
      height="${height.toFixed(1)}"
    />`;
  });
  const said = OUTCOME_GROUPS.map((group) => `${hour.counts[group]} ${group}`).join(', ');
  return html`<g><title>${hourText(hour.startMs)}: ${said}</title>${parts}</g>`;
}

function gridLines(top: number): readonly Html[] {
  const values = top < 2 ? [0, top] : [0, top / 2, top];
  return values.map((value) => {
    const y = (TOP + PLOT_HEIGHT * (1 - value / top)).toFixed(1);
    return html`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}" />
      <text class="axis" x="${LEFT - 8}" y="${y}" text-anchor="end" dominant-baseline="middle"
        >${value}</text
      >`;
  });
}

function hourTicks(): readonly Html[] {
  return TICK_HOURS.map((ago) => {
    const x = (LEFT + (23 - ago + 0.5) * SLOT).toFixed(1);
    const text = ago === 0 ? 'now' : `${ago} h ago`;
    const anchor = ago === 23 ? 'start' : ago === 0 ? 'end' : 'middle';
    const at = ago === 23 ? LEFT : ago === 0 ? WIDTH : x;
    const kind = ago === 18 || ago === 6 ? 'axis minor' : 'axis';
    return html`<text class="${kind}" x="${at}" y="${HEIGHT - 6}" text-anchor="${anchor}">${text}</text>`;
  });
}

function table(hours: readonly HourOfOutcomes[]): Html {
  const rows = hours.filter((hour) => sumOf(hour) > 0);
  if (rows.length === 0) return html`<p>No scan ended in the last 24 hours.</p>`;
  return html`<table class="plain">
    <caption>
      Outcomes by the hour (UTC); hours without scans are left out
    </caption>
    <thead>
      <tr>
        <th scope="col">Hour</th>
        ${OUTCOME_GROUPS.map((group) => html`<th scope="col" class="number">${group}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (hour) =>
          html`<tr>
            <th scope="row">${hourText(hour.startMs)}</th>
            ${OUTCOME_GROUPS.map((group) => html`<td class="number">${hour.counts[group]}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function summary(hours: readonly HourOfOutcomes[]): string {
  const parts = OUTCOME_GROUPS.map((group) => `${totalOf(hours, group)} ${group}`);
  return `Outcomes of the last 24 hours: ${parts.join(', ')}`;
}

function classOf(group: OutcomeGroup): string {
  return `group-${group.replace(' ', '-')}`;
}

function totalOf(hours: readonly HourOfOutcomes[], group: OutcomeGroup): number {
  return hours.reduce((sum, { counts }) => sum + counts[group], 0);
}

function sumOf({ counts }: HourOfOutcomes): number {
  return OUTCOME_GROUPS.reduce((sum, group) => sum + counts[group], 0);
}

function hourText(startMs: number): string {
  const iso = new Date(startMs).toISOString();
  return `${iso.slice(5, 10)} ${iso.slice(11, 16)}`;
}

/** The next of 2, 4, 6, 8, 10, 20, 40 ...: its half is a whole number, too. */
function niceTop(most: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [2, 4, 6, 8, 10].map((step) => step * magnitude).find((step) => step >= most) ?? 10 * magnitude;
}

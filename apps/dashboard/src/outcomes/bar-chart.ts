import { type Html, html } from '../shell/html.ts';

/** A bar of the chart, and the row of the table that says the same. */
export interface Bar {
  /** What it stands for, such as an hour. */
  readonly label: string;
  /** Its name on the axis; `minor` is left out on small screens, null everywhere. */
  readonly tick: { readonly text: string; readonly isMinor: boolean } | null;
  /** How much of each series, in their order. */
  readonly counts: readonly number[];
}

export interface BarChart {
  /** An id in the page. */
  readonly id: string;
  /** What the picture says, in a sentence. */
  readonly title: string;
  readonly series: readonly { readonly name: string; readonly className: string }[];
  readonly bars: readonly Bar[];
  /** Of the table, and of its first column. */
  readonly caption: string;
  readonly column: string;
  /** Instead of a table where all counts are zero. */
  readonly empty: string;
}

/** Across, all is in parts of the width, down in pixels: no text is scaled with the picture. */
const HEIGHT = 200;
const TOP = 14;
const BOTTOM = 28;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

/** Stacked bars: a picture, a legend with totals, and a table that says the same. No script, no style of its own. */
export function barChart(chart: BarChart): Html {
  const top = niceTop(Math.max(...chart.bars.map(sumOf)));
  return html`<figure class="chart">
    <svg height="${HEIGHT}" role="img" aria-labelledby="${chart.id}">
      <title id="${chart.id}">${chart.title}</title>
      ${gridLines(top)} ${chart.bars.map((each, index) => bar(chart, each, index, top))} ${ticks(chart)}
    </svg>
    <figcaption>
      <ul class="legend">
        ${chart.series.map(
          ({ name, className }, index) =>
            html`<li>
              <span class="swatch ${className}"></span>${name} <strong>${totalOf(chart, index)}</strong>
            </li>`,
        )}
      </ul>
    </figcaption>
    <details>
      <summary>The same as a table</summary>
      ${table(chart)}
    </details>
  </figure>`;
}

const slotOf = ({ bars }: BarChart): number => 100 / bars.length;

function bar(chart: BarChart, { label, counts }: Bar, index: number, top: number): Html {
  const slot = slotOf(chart);
  const width = slot * 0.72;
  const x = index * slot + (slot - width) / 2;
  let y = TOP + PLOT_HEIGHT;
  const parts = chart.series.map(({ className }, place) => {
    const height = ((counts[place] ?? 0) / top) * PLOT_HEIGHT;
    y -= height;
    if (height === 0) return null;
    return html`<rect
      class="${className}"
      x="${x.toFixed(2)}%"
      y="${y.toFixed(1)}"
      width="${width.toFixed(2)}%"
      height="${height.toFixed(1)}"
    />`;
  });
  const counted = chart.series.map(({ name }, place) => `${counts[place] ?? 0} ${name}`).join(', ');
  return html`<g><title>${label}: ${counted}</title>${parts}</g>`;
}

function gridLines(top: number): readonly Html[] {
  const values = top < 2 ? [0, top] : [0, top / 2, top];
  return values.map((value) => {
    const y = (TOP + PLOT_HEIGHT * (1 - value / top)).toFixed(1);
    return html`<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}" />
      <text class="axis" x="-8" y="${y}" text-anchor="end" dominant-baseline="middle">${value}</text>`;
  });
}

/** The first and the last name stay within the picture. */
function ticks(chart: BarChart): readonly (Html | null)[] {
  const last = chart.bars.length - 1;
  return chart.bars.map(({ tick }, index) => {
    if (tick === null) return null;
    const middle = ((index + 0.5) * slotOf(chart)).toFixed(2);
    const anchor = index === 0 ? 'start' : index === last ? 'end' : 'middle';
    const at = index === 0 ? 0 : index === last ? 100 : middle;
    const kind = tick.isMinor ? 'axis minor' : 'axis';
    return html`<text class="${kind}" x="${at}%" y="${HEIGHT - 6}" text-anchor="${anchor}"
      >${tick.text}</text
    >`;
  });
}

function table({ bars, series, caption, column, empty }: BarChart): Html {
  const rows = bars.filter((each) => sumOf(each) > 0);
  if (rows.length === 0) return html`<p>${empty}</p>`;
  return html`<table class="plain">
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">${column}</th>
        ${series.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ label, counts }) =>
          html`<tr>
            <th scope="row">${label}</th>
            ${counts.map((count) => html`<td class="number">${count}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function totalOf({ bars }: BarChart, place: number): number {
  return bars.reduce((sum, { counts }) => sum + (counts[place] ?? 0), 0);
}

function sumOf({ counts }: Bar): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The next of 2, 4, 6, 8, 10, 20, 40 ...: its half is a whole number, too. */
function niceTop(most: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [2, 4, 6, 8, 10].map((step) => step * magnitude).find((step) => step >= most) ?? 10 * magnitude;
}

import {
  type NightlySeen,
  readSchedules,
  readSweep,
  type SweepState,
  type SweptHome,
} from '@passport/queue/sweeps';
import type { FastifyInstance } from 'fastify';
import { type Html, html } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { durationText } from '@passport/runtime';
import { definitions, type Head, table, tile, timeElement } from '../shell/parts.ts';
import { oneOf } from '../shell/query-reader.ts';
import { findingsPath } from './findings-page.ts';
import { FILTERED, requirePerson } from '../login/require-login.ts';
import { sees } from '../login/login.ts';

/** The sweeps over the copies of one lending library: the last one, and the last dry run. */
interface LibrarySweeps {
  readonly library: string;
  readonly sweep: SweepState | null;
  readonly dryRun: SweepState | null;
  /** Null where it is not swept every night. */
  readonly schedule: NightlySeen | null;
}

/** Reads the reports of all lending libraries that are swept every night, or once were. */
async function readSweeps({ redis, libraries }: PageDeps): Promise<readonly LibrarySweeps[]> {
  const schedules = await readSchedules(redis);
  const all = await Promise.all(
    libraries.map(async ({ id: library, isSwept = false }) => {
      const [sweep, dryRun] = await Promise.all([
        readSweep(redis, library, false),
        readSweep(redis, library, true),
      ]);
      const schedule = schedules.find((each) => each.kind === 'sweep' && each.library === library) ?? null;
      return { library, sweep, dryRun, schedule, isSwept };
    }),
  );
  return all.filter(({ sweep, dryRun, isSwept }) => isSwept || sweep !== null || dryRun !== null);
}

/** `/sweeps`: the reports of the lending libraries that somebody may see, or of one of them. */
export function registerSweepsPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, nameOf, now } = deps;
  app.get<{ Querystring: { lending?: string } }>('/sweeps', FILTERED, async (request, reply) => {
    const person = requirePerson(request);
    const named = oneOf(request.query.lending);
    if (named !== null && !sees(person, named)) return reply.callNotFound();
    const sweeps = (await readSweeps(deps)).filter(({ library }) => sees(person, library));
    const lending = sweeps.find(({ library }) => library === named)?.library ?? null;
    const view = { basePath, nameOf, nowMs: now(), sweeps, lending };
    return send(request, reply, { title: 'Sweeps', here: 'sweeps' }, sweepsPage(view));
  });
}

interface SweepsView {
  readonly basePath: string;
  readonly nameOf: (library: string) => string;
  readonly nowMs: number;
  readonly sweeps: readonly LibrarySweeps[];
  /** The lending library that the page is about; null: all. */
  readonly lending: string | null;
}

/** How each state of a home library is shown: in the colours of the libraries' states, by a word. */
const STATES = {
  waiting: { look: 'unknown', says: 'to come' },
  working: { look: 'up', says: 'in progress' },
  done: { look: 'up', says: 'done' },
  down: { look: 'open', says: 'down' },
  blind: { look: 'misconfigured', says: 'hides its patrons' },
  cut: { look: 'open', says: 'not read to its end' },
} as const satisfies Record<SweptHome['state'], { readonly look: string; readonly says: string }>;

/** The reports of the last sweeps over copies: of all lending libraries, or of one with its home libraries. */
function sweepsPage(view: SweepsView): Html {
  const { lending, basePath, nameOf } = view;
  const shown = view.sweeps.filter(({ library }) => lending === null || library === lending);
  const title = lending === null ? 'Sweeps over copies' : `Sweeps over copies at ${nameOf(lending)}`;
  const last = shown.flatMap(({ sweep }) => sweep ?? []);
  const homes = last.flatMap((sweep) => Object.values(sweep.homes));
  return html`<div class="title">
      <h1>${title}</h1>
      <p class="quiet now">
        ${lending === null ? 'The last sweep of each lending library' : 'Sums of its last sweep'}
      </p>
      ${
        lending === null
          ? null
          : html`<a class="button" href="${findingsPath(basePath, lending)}">Copies to look at</a>
              <a class="button" href="${basePath}/sweeps">All libraries</a>`
      }
    </div>
    ${figures(homes)}
    ${lending === null ? libraryTable(view) : shown.map((each) => libraryReport(each, view))}
    ${
      homes.length === 0
        ? null
        : html`<section aria-labelledby="findings-title">
            <h2 id="findings-title">Findings</h2>
            ${findingList(homes)}
          </section>`
    }`;
}

function figures(homes: readonly SweptHome[]): Html {
  const { copies, changed, kept } = sumsOf(homes);
  const failing = countFailing(homes);
  return html`<ul class="tiles" aria-label="Sums of these sweeps">
    ${tile('copies', copies, 'looked at')} ${tile('fields changed', changed, 'to the value at home')}
    ${tile('fields kept', kept, 'edited at the lending library')}
    ${tile('home libraries', failing, 'down, or hide their patrons', { className: 'tile-waiting' })}
  </ul>`;
}

function libraryTable(view: SweepsView): Html {
  const { sweeps, basePath, nameOf, nowMs } = view;
  if (sweeps.length === 0) {
    return html`<section>
      <p class="empty">No lending library has a sweep: <code>refresh</code> is off everywhere.</p>
    </section>`;
  }
  const rows = sweeps.map(({ library, sweep, schedule }) => {
    const { copies, changed, kept } = sumsOf(Object.values(sweep?.homes ?? {}));
    return [
      html`<a href="${basePath}/sweeps?lending=${encodeURIComponent(library)}">${nameOf(library)}</a>
        <span class="quiet">${library}</span>`,
      html`${timeElement(sweep?.started_ms ?? null, nowMs)}
      ${sweep === null ? null : html`<span class="quiet">${modeOf(sweep)}</span>`}`,
      sweep === null ? null : stateOf(sweep),
      timeElement(schedule?.doneMs ?? null, nowMs),
      schedule === null ? '–' : timeElement(schedule.nextMs, nowMs),
      copies,
      changed,
      kept,
    ];
  });
  const heads = ['Library', 'Last sweep', 'State', 'Last done', 'Next', COPIES, number(CHANGED), KEPT];
  const title = 'By lending library';
  return section({ id: 'libraries', title, note: null, className: 'libraries times', heads, rows });
}

function libraryReport({ sweep, dryRun }: LibrarySweeps, view: SweepsView): Html {
  return html`${homeTable('sweep', 'Last sweep', sweep, view)}
  ${dryRun === null ? null : homeTable('dry-run', 'Last dry run', dryRun, view)}`;
}

function homeTable(id: string, title: string, sweep: SweepState | null, { nameOf, nowMs }: SweepsView): Html {
  if (sweep === null) {
    return html`<section aria-labelledby="${id}-title">
      <h2 id="${id}-title">${title}</h2>
      <p class="empty">There was none yet.</p>
    </section>`;
  }
  const rows = Object.entries(sweep.homes).map(([home, swept]) => {
    const { look, says } = STATES[swept.state];
    const findings = Object.entries(swept.findings).map(([code, count]) => `${code} ${count}`);
    return [
      html`${nameOf(home)} <span class="quiet">${home}</span>`,
      html`<span class="state state-${look}">${says}</span>`,
      swept.copies,
      swept.fields_changed,
      swept.fields_kept,
      findings.length === 0 ? '–' : findings.join(', '),
    ];
  });
  const took = sweep.ended_ms === null ? '' : `, took ${durationText(sweep.ended_ms - sweep.started_ms)}`;
  return section({
    id,
    title,
    note: html`${timeElement(sweep.started_ms, nowMs)}, ${modeOf(sweep)}${took} ${stateOf(sweep)}`,
    heads: [
      'Home library',
      'State',
      COPIES,
      number(sweep.dry_run ? 'Fields to change' : CHANGED),
      KEPT,
      'Findings',
    ],
    rows,
  });
}

const number = (text: string): Head => [text, 'number'];
const CHANGED = 'Fields changed';
const COPIES = number('Copies');
const KEPT = number('Fields kept');

function section({
  id,
  title,
  note,
  ...content
}: { readonly id: string; readonly title: string; readonly note: Html | null } & Pick<
  Parameters<typeof table>[0],
  'heads' | 'rows' | 'className'
>): Html {
  return html`<section aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${note === null ? null : html`<p class="quiet">${note}</p>`}
    ${content.rows.length === 0 ? html`<p class="empty">No copies so far.</p>` : table({ label: `Table: ${title}`, ...content })}
  </section>`;
}

function findingList(homes: readonly SweptHome[]): Html {
  const counts = new Map<string, number>();
  for (const { findings } of homes) {
    for (const [code, count] of Object.entries(findings)) counts.set(code, (counts.get(code) ?? 0) + count);
  }
  if (counts.size === 0) return html`<p class="empty">Nothing was found yet.</p>`;
  const ordered = [...counts].toSorted(([, one], [, other]) => other - one);
  return html`${definitions('totals', ordered)}
    <p class="quiet">
      Copies by what was found of them; a copy can have several findings. "passport copies refresh --report"
      prints the same.
    </p>`;
}

const modeOf = ({ mode }: SweepState): string => (mode === 'full' ? 'all copies' : 'changed records');
function stateOf({ ended_ms: endedMs, failed, homes }: SweepState): Html {
  if (failed !== null) return html`<span class="state state-open">not to its end: ${failed}</span>`;
  const failing = countFailing(Object.values(homes));
  if (failing > 0) {
    const libraries = failing === 1 ? 'home library' : 'home libraries';
    return html`<span class="state state-open">${failing} ${libraries} to look at</span>`;
  }
  const { look, says } = STATES[endedMs === null ? 'working' : 'done'];
  return html`<span class="state state-${look}">${says}</span>`;
}

const countFailing = (homes: readonly SweptHome[]): number =>
  homes.filter(({ state }) => state === 'down' || state === 'blind').length;

const sumsOf = (homes: readonly SweptHome[]) => ({
  copies: homes.reduce((sum, { copies }) => sum + copies, 0),
  changed: homes.reduce((sum, { fields_changed: changed }) => sum + changed, 0),
  kept: homes.reduce((sum, { fields_kept: kept }) => sum + kept, 0),
});

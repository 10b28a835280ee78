import { FAILURES } from '@passport/contract';
import { type FailedEvent, causeOf, listFailed } from '@passport/queue/events';
import { type Html, html } from '../shell/html.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { table, timeElement } from '../shell/parts.ts';
import { pathWith } from '../shell/query-reader.ts';
import { type Person, sees } from '../login/login.ts';
import type { FailureGroup } from './retry-runs.ts';

/** A page has to be there soon: of more failures the newest are looked at, and a second retry takes the others. */
const MOST_FAILED = 500;

/** The failures that somebody may see, the newest scan first; of one library, or of all. */
export async function readFailures(
  { redis, queue, nameOf }: Pick<PageDeps, 'redis' | 'queue' | 'nameOf'>,
  person: Person,
  at: string | null,
): ReturnType<typeof listFailed> {
  const seen = person.libraries === 'all' ? null : person.libraries;
  const libraries = at === null ? seen : [at].filter((id) => sees(person, id));
  return listFailed(
    { redis, queue },
    { sinceMs: 0, libraries, outcomes: FAILURES, most: MOST_FAILED },
    nameOf,
  );
}

/** That there are more failures than a page looks at. */
export const cutNote = (isCut: boolean): Html | null =>
  isCut
    ? html`<p class="quiet">
        Only the newest ${MOST_FAILED} failures were looked at. Older ones may be there.
      </p>`
    : null;

/** Whether a failure is of that group. */
export const isOf = ({ library, outcome, cause }: FailureGroup, { state }: FailedEvent): boolean =>
  state.library === library && state.outcome === outcome && causeOf(state) === cause;

/** Where the failures of a group are retried. */
export const retryPath = (basePath: string, { library, outcome, cause }: FailureGroup): string =>
  pathWith(`${basePath}/libraries/${encodeURIComponent(library)}/retry`, { outcome, cause });

/** Failures by library and cause, the largest group first, each with the way to retry it for those who may. */
export function failureGroups(
  { basePath, nameOf }: Pick<PageDeps, 'basePath' | 'nameOf'>,
  { events, isCut }: Pick<Awaited<ReturnType<typeof readFailures>>, 'events' | 'isCut'>,
  { mayAct, nowMs }: { readonly mayAct: boolean; readonly nowMs: number },
): Html | null {
  const groups = new Map<string, FailedEvent[]>();
  for (const event of events) {
    const key = [event.state.library, event.state.outcome, causeOf(event.state)].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  const sorted = [...groups.values()].toSorted((one, other) => other.length - one.length);
  const rows = sorted.flatMap((group) => {
    const [newest] = group;
    const outcome = newest?.state.outcome ?? null;
    if (newest === undefined || outcome === null) return [];
    const cause = causeOf(newest.state);
    const path = retryPath(basePath, { library: newest.state.library, outcome, cause });
    const latest = Math.max(...group.map(({ failedMs }) => failedMs));
    return [
      [
        nameOf(newest.state.library),
        html`<span class="code code-failed">${outcome}</span> ${cause}`,
        group.length,
        timeElement(latest, nowMs),
        mayAct ? html`<a href="${path}">Retry these …</a>` : '',
      ],
    ];
  });
  if (rows.length === 0) return cutNote(isCut);
  const heads = ['Library', 'Cause', ['Failures', 'number'], 'The last', 'What to do'] as const;
  return html`<h2>By library and cause</h2>
    ${table({ label: 'Table: Failures by cause', className: 'libraries dense groups', heads, rows })}
    ${cutNote(isCut)}
    <h2 class="apart">Each of them</h2>`;
}

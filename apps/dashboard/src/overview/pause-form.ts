import { parseDuration } from '@passport/config';
import { PAUSE_SIDES, type Pause, pauseLibraries, resumeLibrary } from '@passport/queue/processes';
import type { FastifyInstance } from 'fastify';
import { type Html, html } from '../shell/html.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { libraryPath } from '../shell/parts.ts';
import { OF_LIBRARY, requirePerson } from '../login/require-login.ts';
import type { ShownPause } from './read-pauses.ts';

/** How long a pause from here can be; `passport library pause` takes any time, one side alone, and a reason. */
const LENGTHS = [
  ['30m', '30 minutes'],
  ['2h', '2 hours'],
  ['12h', '12 hours'],
] as const;
/** The desk sees it; whose account it was is in the audit. */
const REASON = 'paused by an operator';

/** What pauses and resumes a library, for those who may. */
export function pauseForm(basePath: string, id: string, pauses: readonly ShownPause[]): Html {
  const path = libraryPath(basePath, id);
  if (pauses.length > 0)
    return html`<form class="actions" method="post" action="${path}/resume">
      <button class="button">Resume</button>
    </form>`;
  return html`<details class="actions">
    <summary class="button">Pause …</summary>
    <p>It is not queried, and its own scans wait, until the pause ends or somebody resumes it.</p>
    ${LENGTHS.map(
      ([length, text]) =>
        html`<form method="post" action="${path}/pause?for=${length}">
          <button class="button">For ${text}</button>
        </form>`,
    )}
  </details>`;
}

/** `/libraries/{library}/pause` and `/resume`, as `passport library` does on both sides. */
export function registerPauseForm(
  app: FastifyInstance,
  { basePath, redis, libraries, now, log }: PageDeps,
): void {
  app.post<{ Params: { library: string }; Querystring: { for?: unknown } }>(
    '/libraries/:library/pause',
    OF_LIBRARY,
    async (request, reply) => {
      const { library } = request.params;
      const { user } = requirePerson(request);
      const length = LENGTHS.find(([each]) => each === request.query.for)?.[0];
      if (length === undefined || !libraries.some(({ id }) => id === library)) return reply.callNotFound();
      const [nowMs, lengthMs] = [now(), parseDuration(length) ?? 0];
      const pauses = PAUSE_SIDES.map((side): Pause => ({
        library,
        side,
        until_ms: nowMs + lengthMs,
        reason: REASON,
        by: user,
        at_ms: nowMs,
      }));
      await pauseLibraries(redis, pauses);
      const line = { audit: true, action: 'pause', by: user, library, as: PAUSE_SIDES };
      log.info(
        { ...line, until: new Date(nowMs + lengthMs).toISOString(), because: REASON },
        'pause of a library',
      );
      return reply.redirect(libraryPath(basePath, library), 303);
    },
  );
  app.post<{ Params: { library: string } }>(
    '/libraries/:library/resume',
    OF_LIBRARY,
    async (request, reply) => {
      const { library } = request.params;
      const ended = await resumeLibrary(redis, library, PAUSE_SIDES, now());
      const sides = ended.map(({ side }) => side);
      const line = { audit: true, action: 'resume', by: requirePerson(request).user, library, as: sides };
      if (sides.length > 0) log.info(line, 'resume of a library');
      return reply.redirect(libraryPath(basePath, library), 303);
    },
  );
}

import { parseDuration } from '@passport/config';
import { PAUSE_SIDES, type Pause, pauseLibraries, resumeLibrary } from '@passport/queue/processes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Html, html } from '../shell/html.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { libraryPath } from '../shell/parts.ts';
import type { SendPage } from '../shell/layout.ts';
import type { Person } from '../login/login.ts';
import { OF_LIBRARY, requirePerson } from '../login/require-login.ts';
import { type ShownPause, readPauses } from './read-pauses.ts';

/** How long a pause from here can be; `passport library pause` takes any time, one side alone, and a reason. */
const LENGTHS = [
  ['30m', '30 minutes'],
  ['2h', '2 hours'],
  ['12h', '12 hours'],
] as const;
/** The desk sees it; whose account it was is in the audit. */
const REASON = 'paused by an operator';

/** Why an operator of some libraries cannot end a pause that another one has begun. */
const HELD = 'Another operator has paused this library. They can end it, or an operator of all libraries.';

/** Whether a pause that lasts is not theirs to end or to replace: it may keep their library away from all others. */
export const isHeld = (
  { user, libraries }: Person,
  library: string,
  lasting: Awaited<ReturnType<typeof readPauses>>,
): boolean => libraries !== 'all' && lasting.some((pause) => pause.library === library && pause.by !== user);

/** What pauses and resumes a library, for those who may. `held`: not these pauses. */
export function pauseForm(
  basePath: string,
  id: string,
  { pauses, held }: { readonly pauses: readonly ShownPause[]; readonly held: boolean },
): Html {
  const path = libraryPath(basePath, id);
  if (held) return html`<p class="quiet">${HELD}</p>`;
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
  send: SendPage,
): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply, library: string): FastifyReply => {
    const content = html`<div class="title"><h1>Nothing was changed</h1></div>
      <p>${HELD}</p>
      <p><a href="${libraryPath(basePath, library)}">To the library</a></p>`;
    return send(request, reply.code(409), { title: 'Nothing was changed', here: null }, content);
  };
  app.post<{ Params: { library: string }; Querystring: { for?: unknown } }>(
    '/libraries/:library/pause',
    OF_LIBRARY,
    async (request, reply) => {
      const { library } = request.params;
      const person = requirePerson(request);
      const { user } = person;
      const length = LENGTHS.find(([each]) => each === request.query.for)?.[0];
      if (length === undefined || !libraries.some(({ id }) => id === library)) return reply.callNotFound();
      const [nowMs, lengthMs] = [now(), parseDuration(length) ?? 0];
      const untilMs = nowMs + lengthMs;
      const lasting = await readPauses(redis, nowMs);
      if (isHeld(person, library, lasting)) return refuse(request, reply, library);
      // What lasts longer goes on until its end, for its reason; whoever paused first cannot end it alone any more.
      const longer = lasting.filter((pause) => pause.library === library && pause.until_ms > untilMs);
      const pauses = PAUSE_SIDES.map((side): Pause => {
        const { until_ms = untilMs, reason = REASON } = longer.find((pause) => pause.side === side) ?? {};
        return { library, side, until_ms, reason, by: user, at_ms: nowMs };
      });
      await pauseLibraries(redis, pauses);
      const line = { audit: true, action: 'pause', by: user, library, as: PAUSE_SIDES };
      log.info({ ...line, until: new Date(untilMs).toISOString(), because: REASON }, 'pause of a library');
      return reply.redirect(libraryPath(basePath, library), 303);
    },
  );
  app.post<{ Params: { library: string } }>(
    '/libraries/:library/resume',
    OF_LIBRARY,
    async (request, reply) => {
      const { library } = request.params;
      const [person, nowMs] = [requirePerson(request), now()];
      if (isHeld(person, library, await readPauses(redis, nowMs))) return refuse(request, reply, library);
      const ended = await resumeLibrary(redis, library, PAUSE_SIDES, nowMs);
      const sides = ended.map(({ side }) => side);
      const line = { audit: true, action: 'resume', by: person.user, library, as: sides };
      if (sides.length > 0) log.info(line, 'resume of a library');
      return reply.redirect(libraryPath(basePath, library), 303);
    },
  );
}

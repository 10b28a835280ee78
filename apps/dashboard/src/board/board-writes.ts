import type { FastifyReply, FastifyRequest } from 'fastify';
import { requirePerson } from '../login/require-login.ts';
import type { ActionName, ActionResult, EventRef, PersonActions } from '../shell/person-actions.ts';

/** The only writes of Bull Board that mean something here, by the last part of their path. */
const ACTIONS: Readonly<Record<string, ActionName>> = {
  retry: 'retry',
  promote: 'promote',
  clean: 'discard',
};
const JOB_WRITE = /\/api\/queues\/scans\/([^/]+)\/(retry|promote|clean)$/;

/**
 * Takes every write of the board before Bull Board sees it: retry, promote and discard of one scan become our own
 * actions, and all others (retry all, clean all, pause, add, edit, duplicate, empty, obliterate) are refused.
 */
export function buildBoardWrites(actions: PersonActions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    if (request.method === 'GET' || request.method === 'HEAD') return undefined;
    const [, jobId, verb] = JOB_WRITE.exec(request.url.split('?')[0] ?? '') ?? [];
    const action = ACTIONS[verb ?? ''];
    const event = jobId === undefined ? null : parseJobId(decodeURIComponent(jobId));
    if (action === undefined || event === null) return replyError(reply, 403, 'ERRORS.FORBIDDEN');
    return answer(reply, await actions[action](requirePerson(request), event));
  };
}

/** BullMQ's id of a scan is `{library}.{event id}`; neither holds a dot. Null when it is none. */
export function parseJobId(jobId: string): EventRef | null {
  const [library, eventId, ...more] = jobId.split('.');
  if (library === undefined || eventId === undefined || more.length > 0) return null;
  return { library, eventId };
}

function answer(reply: FastifyReply, result: ActionResult): FastifyReply {
  switch (result.kind) {
    case 'done':
    case 'closed':
      return reply.code(204).send();
    case 'unknown':
      return replyError(reply, 404, 'ERRORS.JOB_NOT_FOUND');
    case 'not_now':
      return replyError(reply, 400, 'ERRORS.JOB_NOT_RETRIABLE', { state: result.state });
    case 'half_done':
      return replyError(reply, 503, 'ERRORS.INTERNAL_SERVER_ERROR');
    case 'unreadable':
      return replyError(reply, 400, 'ERRORS.JOB_NOT_RETRIABLE', { state: 'unreadable' });
    default:
      return result satisfies never;
  }
}

/** In the form that Bull Board's pages show as a sentence. */
function replyError(
  reply: FastifyReply,
  status: number,
  key: string,
  options?: Record<string, string>,
): FastifyReply {
  return reply.code(status).send({ error: options === undefined ? { key } : { key, options } });
}

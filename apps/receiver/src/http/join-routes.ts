import type { FastifyInstance, FastifyReply } from 'fastify';
import { JOIN_PATH, LONGEST_JOIN_REQUEST } from '@passport/contract';
import type { JoinAnswer } from '../joining/take-join.ts';
import type { JoinFiles } from '../joining/join-files.ts';
import { guidePage, joinPage, PAGE_POLICY } from '../joining/join-page.ts';
import type { Serving } from '../serve.ts';
import { isJson, refuse } from './problem.ts';

/** The routes of a library that is not a member yet: nobody has proven anything, so each connection ends with its answer. */
export function registerJoinRoutes(
  app: FastifyInstance,
  { serving, files }: { readonly serving: () => Pick<Serving, 'join'>; readonly files: JoinFiles },
): void {
  const show = (path: string, html: string): void => {
    app.get(path, (_request, reply) =>
      reply
        .header('content-security-policy', PAGE_POLICY)
        .header('connection', 'close')
        .type('text/html; charset=utf-8')
        .send(html),
    );
  };
  const { guide, plugin } = files;
  show(JOIN_PATH, joinPage(files));
  if (guide !== null) show(`${JOIN_PATH}/guide`, guidePage(guide));
  if (plugin !== null)
    app.get(`${JOIN_PATH}/${plugin.name}`, (_request, reply) =>
      reply
        .header('content-disposition', `attachment; filename="${plugin.name}"`)
        .header('connection', 'close')
        .type('application/octet-stream')
        .send(plugin.bytes),
    );
  app.post(JOIN_PATH, { bodyLimit: LONGEST_JOIN_REQUEST }, async (request, reply) => {
    if (!isJson(request.headers['content-type'])) return refuse(reply, 'unsupported_media_type');
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    return answerJoin(reply.header('connection', 'close'), await serving().join(body));
  });
}

function answerJoin(reply: FastifyReply, answer: JoinAnswer): FastifyReply {
  switch (answer.kind) {
    case 'taken':
      return reply.code(202).send({ fingerprint: answer.fingerprint });
    case 'invalid_field': {
      const { field, problem } = answer;
      return refuse(reply, 'invalid_field', { field, detail: `${field || 'the request'} ${problem}` });
    }
    case 'not_found':
    case 'request_pending':
    case 'request_discarded':
      return refuse(reply, answer.kind);
    case 'unavailable':
      return refuse(reply, 'unavailable', { retryAfterMs: answer.retryAfterMs });
    default:
      return answer satisfies never;
  }
}

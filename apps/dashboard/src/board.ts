import { createBullBoard } from '@bull-board/api';
import type { AfterHook } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import type { ScanJobs } from '@passport/queue';
import { boardPage } from './board-page.ts';
import { buildBoardWrites, parseJobId } from './board-writes.ts';
import { eventPath } from './pages/event-list.ts';
import type { PersonActions } from './person-actions.ts';
import { requirePerson } from './require-login.ts';
import { ScanAdapter } from './scan-adapter.ts';
import { installBoardPolicy } from './security-headers.ts';

export interface BoardDeps {
  readonly queue: ScanJobs;
  readonly nameOf: (library: string) => string;
  readonly actions: PersonActions;
  /** Where the dashboard is: '' or a path without a slash at its end. */
  readonly basePath: string;
}

/** Says who may write to the hooks of Bull Board, which see only headers. Never taken from outside. */
const ROLE_HEADER = 'x-passport-role';

/** Registers Bull Board under `prefix`. The login is already in front of it. */
export async function registerBoard(app: FastifyInstance, prefix: string, deps: BoardDeps): Promise<void> {
  await app.register(
    async (board) => {
      installBoardPolicy(board);
      board.addHook('preHandler', async (request, reply) => {
        request.headers[ROLE_HEADER] = requirePerson(request).role;
        return buildBoardWrites(deps.actions)(request, reply);
      });
      board.addHook('onSend', async (_request, reply, payload) => {
        const type = String(reply.getHeader('content-type') ?? '');
        return type.startsWith('text/html') && typeof payload === 'string'
          ? boardPage(payload, deps.basePath)
          : payload;
      });
      await board.register(buildBullBoard(deps, `${deps.basePath}${prefix}`));
    },
    { prefix: `${deps.basePath}${prefix}` },
  );
}

function buildBullBoard({ queue, nameOf, basePath }: BoardDeps, boardPath: string) {
  const serverAdapter = new FastifyAdapter().setBasePath(boardPath);
  createBullBoard({
    queues: [new ScanAdapter({ queue, nameOf, eventUrl: eventUrlOf(basePath) })],
    serverAdapter,
    options: {
      handlerHooks: { after: onlyLooking },
      uiConfig: {
        boardTitle: 'Patron Passport',
        boardLogo: { path: `${basePath}/assets/icon.svg`, width: 26, height: 26 },
        favIcon: { default: `${basePath}/assets/icon.svg`, alternative: `${basePath}/assets/icon.svg` },
        hideDocsLink: true,
        showMetrics: false,
        // Version, operating system and port of Redis are of use to an attacker alone; its memory is in Grafana.
        hideRedisDetails: true,
        miscLinks: [{ text: 'Overview', url: `${basePath}/` }],
      },
    },
  });
  return serverAdapter.registerPlugin();
}

function eventUrlOf(basePath: string): (jobId: string) => string {
  return (jobId) => {
    const event = parseJobId(jobId);
    return event === null ? `${basePath}/events` : eventPath(basePath, event.library, event.eventId);
  };
}

/** A viewer's board has no buttons; pressing one by hand is refused before it gets here. */
const onlyLooking: AfterHook = ({ route, request }, result) => {
  if (route !== '/api/queues' || request.headers[ROLE_HEADER] === 'operator') return result;
  const body = result.body as { queues?: readonly object[] };
  const queues = (body.queues ?? []).map((queue) => ({
    ...queue,
    readOnlyMode: true,
    allowRetries: false,
    allowCompletedRetries: false,
  }));
  return { ...result, body: { queues } };
};

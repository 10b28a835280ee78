import { createBullBoard } from '@bull-board/api';
import type { AfterHook } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import { SCANS } from '@passport/queue/keys';
import type { ReportJobs } from '@passport/queue/reports';
import { type Logger, translateRedisError, within } from '@passport/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { eventPath } from '../events/event-list.ts';
import { requirePerson } from '../login/require-login.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { installBoardPolicy } from '../shell/security-headers.ts';
import { boardReport, boardScan } from './board-job.ts';
import { buildBoardWrites, parseJobId } from './board-writes.ts';
import { ShownQueue } from './shown-queue.ts';

interface BoardDeps extends PageDeps {
  readonly reportQueue: ReportJobs;
  readonly log: Logger;
}

/** Says who may write to the hooks of Bull Board, which see only headers. Never taken from outside. */
const ROLE_HEADER = 'x-passport-role';
const PING_MS = 1_000;
const NO_ANSWER = { kind: 'unavailable', message: 'no answer in time' } as const;
/** Bull Board has no translation of it and shows it as it is; a dot or a colon would be read as a part of a key. */
const REDIS_IS_AWAY = 'Redis does not answer, the queue cannot be shown';
/** What the id of a report has after that of its event. */
const REPORT_ID = /-report-\d+$/;

/** Registers Bull Board under `prefix`. The login is already in front of it. */
export async function registerBoard(
  app: FastifyInstance,
  prefix: string,
  deps: BoardDeps,
  sendAway: (request: FastifyRequest, reply: FastifyReply) => FastifyReply,
): Promise<void> {
  await app.register(
    async (board) => {
      installBoardPolicy(board);
      board.addHook('preHandler', async (request, reply) => {
        request.headers[ROLE_HEADER] = requirePerson(request).role;
        if (isPage(request) && !(await answers(deps))) return sendAway(request, reply);
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

/** The board's own page is the same while Redis is away: it would load for ever and say nothing. */
function isPage({ method, routeOptions: { url = '' } }: FastifyRequest): boolean {
  return method === 'GET' && !/\/(?:api|static)\//.test(url);
}

async function answers({ redis }: BoardDeps): Promise<boolean> {
  return within(PING_MS, redis.ping(), 'checking whether Redis answers').then(
    () => true,
    () => false,
  );
}

/** Bull Board shows what it is sent as a message, and would send errors as they are, with addresses. */
function failureOf(error: Error & { readonly statusCode?: number; readonly code?: string }, log: Logger) {
  const [status, key] = explainFailure(error, log);
  // Bull Board's types name the statuses that it sends itself.
  return { status: status as 500, body: { error: { key } } };
}

function explainFailure(
  error: Error & { readonly statusCode?: number; readonly code?: string },
  log: Logger,
): readonly [status: number, key: string] {
  const { statusCode = 500, code } = error;
  if (statusCode < 500) return [statusCode, 'ERRORS.FORBIDDEN'];
  const isLate = code === 'FST_ERR_HANDLER_TIMEOUT';
  const { kind, message } = isLate ? NO_ANSWER : translateRedisError(error);
  if (kind === 'bug') {
    log.error({ error }, 'board failed');
    return [500, 'ERRORS.INTERNAL_SERVER_ERROR'];
  }
  log.warn({ kind, problem: message }, 'board failed');
  return [503, REDIS_IS_AWAY];
}

function buildBullBoard({ queue, reportQueue, nameOf, basePath, log }: BoardDeps, boardPath: string) {
  const eventUrl = eventUrlOf(basePath);
  const scans = new ShownQueue({
    queue,
    name: SCANS,
    title: 'Scans',
    description: 'One job for each card that a library did not know',
    show: (job) => boardScan(job, nameOf),
    eventUrl,
    hasActions: true,
  });
  const reports = new ShownQueue({
    queue: reportQueue,
    name: 'reports',
    title: 'Reports',
    description: 'States of scans that a Koha did not accept at once, to be reported again',
    show: boardReport,
    eventUrl: (jobId) => eventUrl(jobId.replace(REPORT_ID, '')),
    hasActions: false,
  });
  const serverAdapter = new FastifyAdapter().setBasePath(boardPath);
  createBullBoard({
    queues: [scans, reports],
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
  serverAdapter.setErrorHandler((error) => failureOf(error, log));
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

const WEB_FONTS = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;

/**
 * Bull Board's page without its web fonts (the dashboard loads nothing from outside) and with our style sheet, which hides
 * the buttons that the dashboard refuses.
 */
function boardPage(html: string, basePath: string): string {
  return html
    .replace(WEB_FONTS, '')
    .replace('</head>', `<link href="${basePath}/assets/board.css" rel="stylesheet"></head>`);
}

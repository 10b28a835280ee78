import fastifyStatic from '@fastify/static';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';
import type { ReportJobs } from '@passport/queue/reports';
import {
  type ConnectionLimits,
  type Logger,
  SECURITY_HEADERS,
  connectionTimes,
  translateRedisError,
  trustProxy,
} from '@passport/runtime';
import { registerBoard } from './board/board.ts';
import type { Login } from './login/login.ts';
import { registerAuditPage } from './audit/audit-page.ts';
import { registerEventPage } from './events/event-page.ts';
import { registerRetryPage } from './events/retry-page.ts';
import { registerPauseForm } from './overview/pause-form.ts';
import { registerEventsPage } from './events/events-page.ts';
import { registerFindingsPage } from './sweeps/findings-page.ts';
import { registerLibraryPage } from './overview/library-page.ts';
import { registerOverviewPage } from './overview/overview-page.ts';
import type { PageDeps } from './shell/page-deps.ts';
import { registerRunbookPage } from './shell/runbook-page.ts';
import { registerStatisticsPage } from './statistics/statistics-page.ts';
import { registerPatronsPage } from './patrons/patrons-page.ts';
import { registerSweepsPage } from './sweeps/sweeps-page.ts';
import type { ProxyLogin } from './login/proxy-login.ts';
import { buildSendPage, type SendPage } from './shell/layout.ts';
import { html } from './shell/html.ts';
import { installSecurityHeaders } from './shell/security-headers.ts';
import { installLogin, installScopes } from './login/require-login.ts';

/** Without a `scope` (login/scope.ts) a route is there only for those who see all libraries. */
const PAGES = [
  registerOverviewPage,
  registerEventsPage,
  registerEventPage,
  registerRetryPage,
  registerPauseForm,
  registerStatisticsPage,
  registerAuditPage,
  registerLibraryPage,
  registerSweepsPage,
  registerFindingsPage,
  registerPatronsPage,
  registerRunbookPage,
];

export interface DashboardDeps extends PageDeps {
  readonly reportQueue: ReportJobs;
  readonly login: Login;
  /** Null: no proxy logs anybody in. */
  readonly proxyLogin: ProxyLogin | null;
  readonly consortium: string;
  /** The directory of style sheets and pictures. */
  readonly assetsDir: string;
  readonly trustProxy: boolean | string | number;
  /** Of the port that all configurations of this process are served on. */
  readonly connections: ConnectionLimits;
  /** A browser that needs longer for a request holds a place that another one could use, and is cut off. */
  readonly requestTimeoutMs: number;
  /** Answers instead of this one once the configuration was replaced; null: it was not. */
  readonly successor: () => FastifyInstance | null;
  /** Whoever looks at a page or presses a button has an answer by then, if only that the queue gives none. */
  readonly answerWithinMs: number;
}

/** Bodies are a few form fields or Bull Board's small objects; all of them are ignored. */
const BODY_LIMIT_BYTES = 16 * 1024;

/**
 * The dashboard's HTTP side; listens to nothing yet. Everything is behind the login. A proxy in front may pass the
 * base path on or strip it.
 */
export function buildDashboard(deps: DashboardDeps): FastifyInstance {
  const { basePath, log, connections } = deps;
  const app = fastify({
    ...connectionTimes(deps.requestTimeoutMs),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustProxy(deps.trustProxy),
    frameworkErrors: (_error, _request, reply) => void sendMalformed(reply),
    rewriteUrl: ({ url = '/' }) => withBasePath(url, basePath),
    routerOptions: { maxParamLength: 300 },
    forceCloseConnections: true,
    handlerTimeout: deps.answerWithinMs,
  });
  app.server.on('connection', (socket) => connections.admit(socket));
  app.addHook('onRequest', async (request, reply) => {
    connections.answering(request.raw, reply.raw);
    const successor = deps.successor();
    if (successor === null) return;
    reply.hijack();
    successor.routing(request.raw, reply.raw);
  });
  app.addHook('onRequest', async (_request, reply) => {
    if (deps.stopping()) void reply.header('connection', 'close');
  });
  // The login comes second, so that what it answers has the headers, too.
  void installSecurityHeaders(app).after(() => {
    installLogin(app, deps, log);
    installScopes(app);
  });
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, payload, done) => {
    payload.resume();
    payload.once('end', () => done(null, null));
  });
  const send = buildSendPage(deps);
  app.setNotFoundHandler((request, reply) => sendNotFound(request, reply, { send, basePath }));
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendFailure(error, request, reply, { send, log }),
  );
  void app.register(
    async (pages) => {
      for (const register of PAGES) register(pages, deps, send);
      await pages.register(async (assets) => registerAssets(assets, deps.assetsDir));
    },
    basePath === '' ? {} : { prefix: basePath },
  );
  void app.register(async (scope) =>
    registerBoard(scope, '/board', deps, (request, reply) => sendAway(request, reply, send)),
  );
  return app;
}

/** Style sheets and pictures: the same for everybody. */
async function registerAssets(app: FastifyInstance, root: string): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, scope: 'nothing' };
  });
  await app.register(fastifyStatic, {
    root,
    prefix: '/assets/',
    decorateReply: false,
    cacheControl: false,
    setHeaders: (reply) => void reply.header('cache-control', 'private, max-age=300'),
  });
}

const NO_ANSWER = { kind: 'unavailable', message: 'no answer in time' } as const;

function withBasePath(url: string, basePath: string): string {
  if (
    basePath === '' ||
    url === basePath ||
    url.startsWith(`${basePath}/`) ||
    url.startsWith(`${basePath}?`)
  ) {
    return url;
  }
  return `${basePath}${url}`;
}

/** A path that cannot be decoded is refused before any hook, so before the login: the answer says nothing. */
function sendMalformed(reply: FastifyReply): FastifyReply {
  return reply.code(400).headers(SECURITY_HEADERS).type('text/plain; charset=utf-8').send('Bad request\n');
}

function sendNotFound(
  request: FastifyRequest,
  reply: FastifyReply,
  { send, basePath }: { readonly send: SendPage; readonly basePath: string },
): FastifyReply {
  const content = html`<div class="title"><h1>There is no such page</h1></div>
    <p>What it was about may be over, or not yours to see. <a href="${basePath}/">To the overview</a></p>`;
  return send(request, reply.code(404), { title: 'No such page', here: null }, content);
}

function sendFailure(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  { send, log }: { send: SendPage; log: Logger },
): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status < 500) {
    const content = html`<div class="title"><h1>This request cannot be understood</h1></div>`;
    return send(request, reply.code(status), { title: 'Bad request', here: null }, content);
  }
  const isLate = error.code === 'FST_ERR_HANDLER_TIMEOUT';
  const { kind, message } = isLate ? NO_ANSWER : translateRedisError(error);
  if (kind !== 'bug') {
    log.warn({ kind, problem: message }, 'page failed');
    return sendAway(request, reply, send);
  }
  log.error({ error }, 'page failed');
  const content = html`<div class="title"><h1>Something went wrong</h1></div>
    <p>The log of the dashboard says what.</p>`;
  const page = { title: 'Something went wrong', here: null, refreshSeconds: 10 } as const;
  return send(request, reply.code(503), page, content);
}

function sendAway(request: FastifyRequest, reply: FastifyReply, send: SendPage): FastifyReply {
  const title = 'The queue does not answer';
  const content = html`<div class="title"><h1>${title}</h1></div>
    <p>Redis cannot be reached at this moment. Scans are kept; this page comes back by itself.</p>`;
  return send(request, reply.code(503), { title, here: null, refreshSeconds: 10 }, content);
}

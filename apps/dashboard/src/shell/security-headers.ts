import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

type Directives = Readonly<Record<string, readonly string[]>>;

const NOTHING = ["'none'"];
const SELF = ["'self'"];

/** Our own pages: no script at all, styles from one file. */
const PAGE_POLICY: Directives = {
  defaultSrc: NOTHING,
  styleSrc: SELF,
  imgSrc: SELF,
  formAction: SELF,
  frameAncestors: NOTHING,
  baseUri: NOTHING,
};

/** Bull Board: its own scripts, the style attributes that React sets, a `base` element, its API. */
const BOARD_POLICY: Directives = {
  defaultSrc: NOTHING,
  scriptSrc: SELF,
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: SELF,
  connectSrc: SELF,
  formAction: SELF,
  frameAncestors: NOTHING,
  baseUri: SELF,
};

/**
 * Security headers on every answer of `app`, by our pages' policy; a hook that is to come after them is added in
 * `after()`. No `upgrade-insecure-requests`, which would break the dashboard on loopback, where it has no TLS; behind a
 * proxy with TLS the strict transport header holds for this host alone.
 */
export function installSecurityHeaders(app: FastifyInstance): ReturnType<FastifyInstance['after']> {
  // What stays in a browser is what says so: style sheets, pictures, the board's scripts.
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
  });
  return app.register(helmet, {
    contentSecurityPolicy: contentPolicy(PAGE_POLICY),
    crossOriginEmbedderPolicy: false,
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  });
}

/** Gives the routes of this scope the board's content policy; the other headers stay. */
export function installBoardPolicy(scope: FastifyInstance): void {
  const contentSecurityPolicy = contentPolicy(BOARD_POLICY);
  scope.addHook('onRequest', async (_request, reply) => {
    reply.helmet({ contentSecurityPolicy });
  });
}

function contentPolicy(policy: Directives) {
  return {
    useDefaults: false,
    directives: Object.fromEntries(Object.entries(policy).map(([name, sources]) => [name, [...sources]])),
  };
}

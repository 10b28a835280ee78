import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

type Directives = Readonly<Record<string, readonly string[] | null>>;

const NOTHING = ["'none'"];
const SELF = ["'self'"];

/** Our own pages: no script at all, styles from one file. */
export const PAGE_POLICY: Directives = {
  defaultSrc: NOTHING,
  styleSrc: SELF,
  imgSrc: SELF,
  formAction: SELF,
  frameAncestors: NOTHING,
  baseUri: NOTHING,
};

/** Bull Board: its own scripts, the style attributes that React sets, a `base` element, its API. */
export const BOARD_POLICY: Directives = {
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
 * Security headers for all routes of this scope. No `upgrade-insecure-requests`, which would break the dashboard on
 * loopback, where it has no TLS; behind a proxy with TLS the strict transport header holds for this host alone.
 */
export async function installSecurityHeaders(app: FastifyInstance, policy: Directives): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: Object.fromEntries(
        Object.entries(policy).map(([name, sources]) => [name, sources === null ? null : [...sources]]),
      ),
    },
    crossOriginEmbedderPolicy: false,
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  });
}

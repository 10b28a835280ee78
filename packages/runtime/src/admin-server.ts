import { fastify } from 'fastify';
import type { AddressInfo } from 'node:net';
import { within } from './deadline.ts';
import type { Logger } from './logger.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Probes come every few seconds and give up after one or two: an answer later than this is no answer. */
const ANSWER_MS = 2_000;

/**
 * Starts the server of `ADMIN_PORT`, not for the public: `/livez` (503 when `live` says that only a restart can help), `/readyz` (200
 * when `ready` says so within two seconds; 503 when not, while the log cannot be written, and as soon as `stopping` is aborted) and
 * `/metrics`. Rejects when the port is taken.
 */
export async function startAdminServer(options: {
  port: number;
  host: string;
  live?: () => boolean;
  ready: () => boolean | Promise<boolean>;
  metrics: () => Promise<string>;
  log: Logger;
  stopping?: AbortSignal;
}): Promise<AdminServer> {
  const app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', async (_request, reply) => void reply.headers(SECURITY_HEADERS));
  app.get('/livez', async (_request, reply) => {
    const isLive = options.live?.() ?? true;
    return reply.code(isLive ? 200 : 503).send({ status: isLive ? 'up' : 'stuck' });
  });
  app.get('/readyz', async (_request, reply) => {
    const status = await statusOf(options);
    return reply.code(status === 'ready' ? 200 : 503).send({ status });
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await within(ANSWER_MS, options.metrics(), 'collecting metrics');
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(Buffer.from(text));
  });
  app.setErrorHandler((error, _request, reply) => {
    options.log.warn({ error }, 'admin request failed');
    return reply.code(500).send({ status: 'failed' });
  });
  await app.listen({ port: options.port, host: options.host });
  const { port } = app.server.address() as AddressInfo;
  return { port, close: () => app.close() };
}

async function statusOf({ stopping, log, ready }: Parameters<typeof startAdminServer>[0]): Promise<string> {
  if (stopping?.aborted === true) return 'stopping';
  return log.health.isFailing ? 'the log cannot be written' : readiness(ready);
}

async function readiness(ready: () => boolean | Promise<boolean>): Promise<'ready' | 'not ready'> {
  try {
    return (await within(ANSWER_MS, Promise.resolve(ready()), 'readiness')) ? 'ready' : 'not ready';
  } catch {
    return 'not ready';
  }
}

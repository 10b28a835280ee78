import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
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
/** Longer than Prometheus' default interval of a minute: the next scrape comes over the connection of the last. */
const KEEP_MS = 72_000;

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
  const server = createServer({ keepAliveTimeout: KEEP_MS }, (request, response) => {
    void answerTo(request, options).then(({ status, type, body }) => {
      const headers = { ...SECURITY_HEADERS, 'content-type': type, 'content-length': body.length };
      response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body);
    });
  });
  server.listen({ port: options.port, host: options.host });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Options = Parameters<typeof startAdminServer>[0];
type Asked = Pick<IncomingMessage, 'method' | 'url'>;

async function answerTo(asked: Asked, options: Options): Promise<Answer> {
  try {
    return await answerOf(asked, options);
  } catch (error) {
    options.log.warn({ error }, 'admin request failed');
    return jsonAnswer(500, 'failed');
  }
}

async function answerOf({ method = '', url = '' }: Asked, options: Options): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return jsonAnswer(405, 'only GET and HEAD');
  switch (url.split('?', 1)[0]) {
    case '/livez': {
      const isLive = options.live?.() ?? true;
      return jsonAnswer(isLive ? 200 : 503, isLive ? 'up' : 'stuck');
    }
    case '/readyz': {
      const status = await statusOf(options);
      return jsonAnswer(status === 'ready' ? 200 : 503, status);
    }
    case '/metrics': {
      const text = await within(ANSWER_MS, options.metrics(), 'collecting metrics');
      return { status: 200, type: METRICS_TYPE, body: Buffer.from(text) };
    }
    default:
      return jsonAnswer(404, 'not found');
  }
}

const jsonAnswer = (status: number, said: string): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: Buffer.from(JSON.stringify({ status: said })),
});

async function statusOf({ stopping, log, ready }: Options): Promise<string> {
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

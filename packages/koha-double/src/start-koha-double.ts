import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  CallLog,
  TokenStore,
  type Double,
  type DoubleFiles,
  type Exchange,
  type ReceivedCall,
} from './double.ts';
import { recordCallShapes } from './call-shape.ts';
import { buildClock } from './clock.ts';
import type { SettingsChange } from './control/apply-settings.ts';
import {
  buildControls,
  buildRoutes,
  registerControl,
  type ControlRoutes,
  type Controls,
} from './control/controls.ts';
import { FaultQueue } from './control/fault-queue.ts';
import { defaultPattern } from './plugin/receiver.ts';
import type { Release } from './release.ts';
import { derivedCredentials, type Credentials } from './seed/seed-data.ts';
import { emptyDatabase } from './seed/load-seed.ts';
import type { SeedChoice } from './seed/seeds.ts';
import { defaultSettings } from './settings.ts';
import type { SipAccount } from './sip/sip-handlers.ts';
import { startSipServer } from './sip/start-sip-server.ts';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { registerApi } from './api/register-api.ts';
import { isRecord } from './record.ts';
import { registerStaffPages } from './staff-pages/register-staff-pages.ts';

/** Where the plugin side of a double sends its events; waits default to the plugin's own. */
interface WebhookOptions {
  readonly receiverUrl: string;
  /** `whsec_...` */
  readonly secret: string;
  /** The library's id at the receiver; default: the double's. */
  readonly library?: string;
  /** What is a card, as regular expressions; default: a digit somewhere, no blanks, 4 to 32 characters. */
  readonly patterns?: readonly string[];
  readonly staffWaitMs?: number;
  readonly selfCheckWaitMs?: number;
}

export interface KohaDoubleOptions extends DoubleFiles {
  /** The library's id; also picks the derived credentials. */
  readonly library: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly release?: Release;
  /** Default `empty`: set up for visitors, nobody there. */
  readonly seed?: SeedChoice;
  readonly latencyMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Default true: the passport plugin is installed. */
  readonly plugin?: boolean;
  readonly webhook?: WebhookOptions | undefined;
  /** Also start Koha's SIP server, with this account, on a free port. */
  readonly sip?: SipAccount;
  /** PEM texts: speak https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** `derived` (default): the same for the same library; `random`: new ones. */
  readonly credentials?: Credentials | 'derived' | 'random';
  /** Gets every answered API call: to hold it against Koha's description, see `describeKoha` in @passport/koha-description. */
  readonly onExchange?: (exchange: Exchange) => void;
  /** Gets every API call as it is read, those too that a fault then cuts or leaves without an answer. */
  readonly onCall?: (call: ReceivedCall) => void;
  /** Anything else that `PUT /_double/settings` takes. */
  readonly settings?: SettingsChange;
}

/** One running stand-in for a Koha. */
export interface KohaDouble extends Controls {
  readonly library: string;
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** That of its SIP server; null: it has none. */
  readonly sipPort: number | null;
  /** The key pair of the service's user. */
  readonly credentials: Credentials;
  /** Ends it at once, open and hanging connections too. */
  close(): Promise<void>;
}

/** Starts a double and resolves when it listens. Rejects when the port is taken or a setting is not understood. */
export async function startKohaDouble(options: KohaDoubleOptions): Promise<KohaDouble> {
  const credentials = credentialsOf(options);
  const double = buildDouble(options);
  const controls = buildControls(double, credentials);
  controls.seed(options.seed ?? 'empty');
  controls.putSettings(settingsOf(options));
  const server = await buildServer({ double, routes: buildRoutes(double, controls) }, options.tls);
  const host = options.host ?? '127.0.0.1';
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const sip = options.sip === undefined ? null : await startSipServer(double, options.sip, host);
  return {
    ...controls,
    sipPort: sip?.port ?? null,
    library: options.library,
    url: `${options.tls === undefined ? 'http' : 'https'}://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`,
    port,
    credentials,
    close: async () => {
      await sip?.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function buildDouble(options: KohaDoubleOptions): Double {
  const settings = defaultSettings();
  const now = options.now ?? Date.now;
  return {
    library: options.library,
    settings,
    db: emptyDatabase(),
    tokens: new TokenStore(),
    calls: new CallLog(),
    faults: new FaultQueue(),
    sessions: new Map(),
    clock: buildClock(now, () => settings),
    tokenSecret: randomBytes(32).toString('hex'),
    realNowMs: now,
    newId: randomUUID,
    waiting: { isTaken: false },
    files: options,
    onExchange: listenerOf(options),
    onCall: options.onCall,
  };
}

/** In a run of the whole suite, what the client sends is also written down, to be held against its table of calls. */
function listenerOf({ onExchange }: KohaDoubleOptions): KohaDoubleOptions['onExchange'] {
  const folder = process.env['KOHA_CALL_SHAPES'] ?? '';
  if (folder === '') return onExchange;
  const record = recordCallShapes(folder);
  return (exchange) => {
    record(exchange);
    onExchange?.(exchange);
  };
}

function settingsOf(options: KohaDoubleOptions): SettingsChange {
  const { webhook } = options;
  const { release, latencyMs: latency_ms, plugin, library } = options;
  return {
    ...(release && { release }),
    ...(latency_ms !== undefined && { latency_ms }),
    ...(plugin !== undefined && { plugin }),
    ...(webhook && {
      webhook: {
        receiver_url: webhook.receiverUrl,
        secret: webhook.secret,
        library: webhook.library ?? library,
        patterns: webhook.patterns ?? [defaultPattern],
        staff_wait_ms: webhook.staffWaitMs ?? 1500,
        self_check_wait_ms: webhook.selfCheckWaitMs ?? 3000,
        sip: options.sip === undefined ? [] : [options.sip.user],
      },
    }),
    ...options.settings,
  };
}

function credentialsOf({ credentials, library }: KohaDoubleOptions): Credentials {
  if (credentials === 'random') {
    return { clientId: randomUUID(), clientSecret: randomBytes(24).toString('base64url') };
  }
  return credentials === undefined || credentials === 'derived' ? derivedCredentials(library) : credentials;
}

const bodyLimitBytes = 16 * 1024 * 1024;

interface Host {
  readonly double: Double;
  readonly routes: ControlRoutes;
}

/** Whose a request is. */
const hosts = new WeakMap<IncomingMessage, Host>();
const hostOf = ({ raw }: FastifyRequest): Host => {
  const host = hosts.get(raw);
  if (host === undefined) throw new Error('a request that came to no double');
  return host;
};
const doubleOf = (request: FastifyRequest): Double => hostOf(request).double;

let shared: Promise<FastifyInstance> | undefined;

/** A server of its own for each double, and one router for all: tests start thousands of doubles, and to build a router takes longer than all else of it. */
async function buildServer(
  host: Host,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Server> {
  const app = await (shared ??= buildApp(Object.keys(host.routes)));
  const route = (request: IncomingMessage, response: ServerResponse): void => {
    hosts.set(request, host);
    app.routing(request, response);
  };
  // A client keeps its connections for as long as it likes.
  const options = { keepAliveTimeout: 72_000, requestTimeout: 0 };
  return tls === undefined ? createServer(options, route) : createTlsServer({ ...options, ...tls }, route);
}

/** The HTTP side of doubles. Bodies stay bytes: each route reads them as Koha would, whatever the content type. */
async function buildApp(controlRoutes: readonly string[]): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: bodyLimitBytes,
    // No client of ours sends HEAD.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 2000, ignoreTrailingSlash: false },
  });
  // From 25.11 on Koha reads a query from the body of a GET; Fastify has to know that there can be one.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(answerFailure);
  registerApi(app, doubleOf);
  registerControl(app, controlRoutes, (request) => hostOf(request).routes);
  registerStaffPages(app, doubleOf);
  await app.ready();
  return app;
}

/** A request that HTTP itself refuses gets its status; anything else is a bug of the double, and says so. */
function answerFailure(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = isRecord(error) && typeof error['statusCode'] === 'number' ? error['statusCode'] : 500;
  if (status < 500)
    return reply.code(status).send({ errors: [{ message: 'Bad Request.', path: '/' }], status });
  const trace = error instanceof Error ? (error.stack ?? error.message) : 'unknown failure';
  process.stderr.write(`koha-double: ${trace}\n`);
  return reply.code(500).send({ errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 });
}

import { buildSample, type ConnectionLimits, type Logger } from '@passport/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { html } from '../shell/html.ts';
import { type Login, type Person, sees } from './login.ts';
import type { ProxyLogin } from './proxy-login.ts';

/** Of each user, and of nobody in particular: more lines would push out of a log what was done. */
const REFUSALS_LOGGED = { most: 10, windowMs: 60_000 };

/** A refused log-in or write, as it is logged. */
interface Refusal {
  readonly action: 'login' | 'write';
  readonly by: string | null;
  readonly from?: string;
  readonly result: string;
}

const PERSON = Symbol('person');
type WithPerson = FastifyRequest & { [PERSON]?: Person };

/** The user of a request. Throws when the login did not run: nothing may be answered then. */
export function requirePerson(request: FastifyRequest): Person {
  const person = (request as WithPerson)[PERSON];
  if (person === undefined) throw new Error('a request came past the login');
  return person;
}

/**
 * Puts a login in front of everything: pages, API, assets and paths that do not exist. Writes need an operator and
 * come from our own pages or from a program.
 */
export function installLogin(
  app: FastifyInstance,
  {
    login,
    proxyLogin,
    basePath,
    connections,
    now,
  }: {
    readonly login: Login;
    readonly proxyLogin: ProxyLogin | null;
    readonly basePath: string;
    readonly connections: ConnectionLimits;
    readonly now: () => number;
  },
  log: Logger,
): void {
  const sample = buildSample({ ...REFUSALS_LOGGED, monotonicNow: now });
  const refused = (refusal: Refusal): void => {
    const { action, by, result } = refusal;
    const leftOut = sample(`${action} ${by} ${result}`);
    if (leftOut === null) return;
    const left = leftOut > 0 ? { left_out: leftOut } : {};
    log.warn({ audit: true, ...refusal, ...left }, `${action} refused`);
  };
  app.addHook('onRequest', async (request, reply) => {
    // A browser forgets a password that is refused: the right one, too, and whoever sends it learns nothing of it.
    if (request.url.split('?')[0] === `${basePath}/logout`)
      return requestCredentials(reply, basePath, 'You are logged out.');
    const proxied = proxyLogin?.(request.headers, request.socket.remoteAddress) ?? null;
    const answer = proxied ?? login(request.headers.authorization, request.ip);
    switch (answer.kind) {
      case 'unknown':
        refused({ action: 'login', by: null, from: request.ip, result: 'unknown' });
        return sendRefusal(reply.code(403), basePath, 'Your account is no user of this dashboard.');
      case 'in':
        (request as WithPerson)[PERSON] = answer.person;
        connections.proven(request.raw.socket);
        return refuseWrite(request, reply, { person: answer.person, basePath, refused });
      case 'unauthenticated':
        return requestCredentials(reply, basePath);
      case 'wrong':
        refused({ action: 'login', by: answer.user, from: request.ip, result: 'wrong' });
        return requestCredentials(reply, basePath);
      case 'locked': {
        const { user, retryAfterSeconds } = answer;
        refused({ action: 'login', by: user, from: request.ip, result: 'locked' });
        const sentence = `Too many wrong passwords. Try again in ${retryAfterSeconds} seconds.`;
        return sendRefusal(reply.code(429).header('retry-after', retryAfterSeconds), basePath, sentence);
      }
      default:
        return answer satisfies never;
    }
  });
}

function requestCredentials(
  reply: FastifyReply,
  basePath: string,
  sentence = 'Log in to see this page.',
): FastifyReply {
  const asking = reply.code(401).header('www-authenticate', 'Basic realm="Patron Passport", charset="UTF-8"');
  return sendRefusal(asking, basePath, sentence);
}

/** A page for somebody who is not let in, with a way on; its style sheet would need the login. */
function sendRefusal(reply: FastifyReply, basePath: string, sentence: string): FastifyReply {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Patron Passport</title>
      </head>
      <body>
        <main>
          <h1>Patron Passport</h1>
          <p>${sentence}</p>
          <p><a href="${basePath}/">To the dashboard</a></p>
        </main>
      </body>
    </html>`;
  return reply.type('text/html; charset=utf-8').send(page.toString());
}

function refuseWrite(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    person,
    basePath,
    refused,
  }: {
    readonly person: Person;
    readonly basePath: string;
    readonly refused: (refusal: Refusal) => void;
  },
): FastifyReply | undefined {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const { origin, 'sec-fetch-site': secFetchSite } = request.headers;
  const site = typeof secFetchSite === 'string' ? secFetchSite : undefined;
  const isOwn = isOwnRequest({ origin, secFetchSite: site, host: request.host });
  if (isOwn && person.role === 'operator') return undefined;
  const result = isOwn ? 'may only look' : 'from another site';
  refused({ action: 'write', by: person.user, result });
  const sentence = isOwn
    ? `${person.user} may look but not change anything.`
    : 'This request came from another site and was refused.';
  return sendRefusal(reply.code(403), basePath, sentence);
}

/** What a browser says about where a request comes from. */
interface RequestOrigin {
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  /** Host and port that the request was sent to. */
  readonly host: string;
}

/**
 * Whether a request that changes something may be taken. A browser sends the login by itself, also for a form or
 * script of another site, so its own word on the origin decides; a program that is no browser sends neither header
 * and holds the password itself.
 */
export function isOwnRequest({ origin, secFetchSite, host }: RequestOrigin): boolean {
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin';
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/**
 * How a route keeps to the libraries of the user. `library`: its path names one (`:library`), which is checked before the
 * route is. `filtered`: the route itself shows nothing of other libraries. `nothing`: it shows nothing of any library.
 */
type RouteScope = 'library' | 'filtered' | 'nothing';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Without it a route is not there for people who may see only some libraries. */
    scope?: RouteScope;
  }
}

/** The page shows what belongs to the libraries of the user, and nothing else. */
export const FILTERED = { config: { scope: 'filtered' } } as const;
/** The library that its path names has to be theirs. */
export const OF_LIBRARY = { config: { scope: 'library' } } as const;

/**
 * Keeps people to their libraries: what is not theirs is answered like what does not exist, whatever the method. A
 * route that does not say how it keeps to them is theirs in no case, so that one that is forgotten reveals nothing. Comes
 * after the login.
 */
export function installScopes(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply): Promise<FastifyReply | undefined> => {
    const person = requirePerson(request);
    if (person.libraries === 'all' || request.is404) return undefined;
    const { scope } = request.routeOptions.config;
    if (scope === 'filtered' || scope === 'nothing') return undefined;
    const { library } = request.params as { readonly library?: string };
    if (scope === 'library' && library !== undefined && sees(person, library)) return undefined;
    reply.callNotFound();
    return reply;
  });
}

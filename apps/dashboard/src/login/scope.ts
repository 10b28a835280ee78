import type { FastifyInstance, FastifyReply } from 'fastify';
import { requirePerson } from './require-login.ts';

/** The lending libraries that somebody may see; `all` also has what belongs to no library. */
export type Scope = 'all' | readonly string[];

/** Whether somebody may see this library. */
export function sees({ libraries }: { readonly libraries: Scope }, library: string): boolean {
  return libraries === 'all' || libraries.includes(library);
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

import { type FailingEndpoint, openDeliveryNotes } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import { type Scope, sees } from '../login/scope.ts';

/** An endpoint of `notify` as the configuration has it; its address is not known here. */
export interface KnownEndpoint {
  readonly name: string;
  /** Which it wants messages of. */
  readonly libraries: Scope;
}

/** How messages to an endpoint are delivered. */
export interface EndpointState {
  readonly name: string;
  /** Null: the last message was accepted, or none was sent so far. */
  readonly failing: FailingEndpoint | null;
  /** Messages that it has not accepted yet. */
  readonly waiting: number;
}

/** Reads how deliveries to these endpoints go. Who may see some libraries sees endpoints that are about no other. */
export async function readEndpoints(
  redis: Redis,
  endpoints: readonly KnownEndpoint[],
  scope: Scope,
): Promise<readonly EndpointState[]> {
  const seen = endpoints.filter(({ libraries }) => isWithin(libraries, scope));
  if (seen.length === 0) return [];
  const notes = openDeliveryNotes(redis);
  const [failing, waiting] = await Promise.all([notes.readFailing(), notes.countWaiting()]);
  return seen.map(({ name }) => ({
    name,
    failing: failing.get(name) ?? null,
    waiting: waiting.get(name) ?? 0,
  }));
}

const isWithin = (libraries: Scope, scope: Scope): boolean =>
  scope === 'all' || (libraries !== 'all' && libraries.every((id) => sees({ libraries: scope }, id)));

import { type FailingEndpoint, openDeliveryNotes } from '@passport/queue/notices';
import type { Redis } from '@passport/runtime';
import { type Html, html } from '../shell/html.ts';
import type { KnownEndpoint } from '../shell/page-deps.ts';
import { table, timeElement } from '../shell/parts.ts';
import { type Scope, sees } from '../login/login.ts';

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

/** Where operators are notified, and whether messages arrive there; nothing where nobody is notified. */
export function endpointSection(endpoints: readonly EndpointState[], nowMs: number): Html | null {
  if (endpoints.length === 0) return null;
  const isTroubled = endpoints.some(({ failing }) => failing !== null);
  return html`<section aria-labelledby="endpoints-title">
    <h2 id="endpoints-title">Notifications</h2>
    ${isTroubled ? endpointTable(endpoints, nowMs) : wellText(endpoints)}
  </section>`;
}

function wellText(endpoints: readonly EndpointState[]): Html {
  const waiting = endpoints.reduce((sum, each) => sum + each.waiting, 0);
  const names = endpoints.map(({ name }) => name).join(', ');
  const messages = waiting === 1 ? '1 message waits' : `${waiting} messages wait`;
  return html`<p class="quiet">
    No delivery fails (${names})${waiting === 0 ? '' : `; ${messages} for the next attempt`}.
  </p>`;
}

function endpointTable(endpoints: readonly EndpointState[], nowMs: number): Html {
  const rows = endpoints.map(({ name, failing, waiting }) => [
    name,
    stateOf(failing),
    failing === null ? '–' : timeElement(failing.since_ms, nowMs),
    html`<div>
      ${failing === null ? '–' : html`${answerOf(failing)}, ${timeElement(failing.at_ms, nowMs)}`}
    </div>`,
    waiting,
  ]);
  const heads = ['Endpoint', 'State', 'Since', 'Last answer', ['Messages waiting', 'number']] as const;
  return html`${table({ label: 'Table: Notifications', heads, rows })}
    <p class="quiet">
      What fails is tried again for three days. An endpoint that has answered 410 gets nothing more until its
      address is another or "passport notify test" was accepted.
    </p>`;
}

function stateOf(failing: EndpointState['failing']): Html {
  if (failing === null) return html`<span class="state state-up">accepts</span>`;
  return failing.kind === 'gone'
    ? html`<span class="state state-misconfigured">stopped</span>`
    : html`<span class="state state-open">failing</span>`;
}

const answerOf = ({ status, code }: NonNullable<EndpointState['failing']>): string =>
  status === null ? `no answer (${code ?? 'unknown'})` : `answered ${status}`;

import { type FailingEndpoint, openDeliveryNotes } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import { type Scope, sees } from '../login/scope.ts';
import { type Html, html } from '../shell/html.ts';
import { timeElement } from '../shell/parts.ts';

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
  return html`<div class="scroll" role="region" aria-label="Table: Notifications" tabindex="0">
      <table class="libraries">
        <thead>
          <tr>
            ${['Endpoint', 'State', 'Since', 'Last answer', 'Messages waiting'].map(
              (head) =>
                html`<th scope="col" class="${head === 'Messages waiting' ? 'number' : ''}">${head}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${endpoints.map((endpoint) => row(endpoint, nowMs))}
        </tbody>
      </table>
    </div>
    <p class="quiet">
      What fails is tried again for three days. An endpoint that has answered 410 gets nothing more until its
      address is another or "passport notify test" was accepted.
    </p>`;
}

function row({ name, failing, waiting }: EndpointState, nowMs: number): Html {
  const [look, says] =
    failing === null
      ? ['up', 'accepts']
      : failing.kind === 'gone'
        ? ['misconfigured', 'stopped']
        : ['open', 'failing'];
  return html`<tr>
    <th scope="row">${name}</th>
    <td data-label="State"><span class="state state-${look}">${says}</span></td>
    <td data-label="Since">${failing === null ? '–' : timeElement(failing.since_ms, nowMs)}</td>
    <td data-label="Last answer">
      <div>${failing === null ? '–' : html`${answerOf(failing)}, ${timeElement(failing.at_ms, nowMs)}`}</div>
    </td>
    <td data-label="Messages waiting" class="number">${waiting}</td>
  </tr>`;
}

const answerOf = ({ status, code }: NonNullable<EndpointState['failing']>): string =>
  status === null ? `no answer (${code ?? 'unknown'})` : `answered ${status}`;

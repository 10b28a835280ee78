import type { Exchange } from '@passport/koha-double';
import { waitFor } from '@passport/testkit';

/** What a desk was told of an event, and when: monotonic, in milliseconds. */
export interface Told {
  readonly at: number;
  readonly state: string;
  readonly outcome: string | null;
  /** The library that is waited for. */
  readonly waitingFor: string | null;
}

export interface ToldLog {
  /** For `onExchange` of a Koha. */
  hear(exchange: Exchange): void;
  of(eventId: string): readonly Told[];
  /** The first thing told of an event that fits; waits for it. */
  first(eventId: string, fits: (told: Told) => boolean, timeoutMs?: number): Promise<Told>;
}

const OUTCOME_PATH = '/contrib/passport/scans/{event_id}/outcome';

/** Notes the moment of everything that Kohas are told; asking the receiver instead would be a load of its own. */
export function createToldLog(): ToldLog {
  const log = new Map<string, Told[]>();
  const of = (eventId: string): readonly Told[] => log.get(eventId) ?? [];
  return {
    of,
    hear({ path, requestBody }) {
      if (path !== OUTCOME_PATH) return;
      const body = requestBody as {
        event_id: string;
        state: string;
        outcome: string | null;
        waiting_for: { library: string } | null;
      };
      const waitingFor = body.waiting_for?.library ?? null;
      const told = { at: performance.now(), state: body.state, outcome: body.outcome, waitingFor };
      log.set(body.event_id, [...of(body.event_id), told]);
    },
    first: (eventId, fits, timeoutMs = 30_000) =>
      waitFor(
        `the desk to be told what is looked for of ${eventId}`,
        () => {
          const told = of(eventId).find(fits);
          if (told === undefined) throw new Error(`told so far: ${JSON.stringify(of(eventId))}`);
          return told;
        },
        { timeoutMs, everyMs: 50 },
      ),
  };
}

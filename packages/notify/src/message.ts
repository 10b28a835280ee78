import type { Consortium } from '@passport/config';
import type { NotificationMessage } from '@passport/contract';
import type { Observation } from './observation.ts';

const RUNBOOK = 'docs/runbook.md';

type Named = Pick<Consortium, 'name'> & { readonly libraries: readonly { id: string; name: string }[] };

/** The message about an observation. */
export function messageOf(
  {
    type,
    library: id,
    text,
    section,
    facts,
  }: Observation & { readonly type: NonNullable<Observation['type']> },
  { name, libraries }: Named,
  nowMs: number,
): NotificationMessage & { readonly type: NonNullable<Observation['type']> } {
  const library = id === null ? null : { id, name: libraries.find((each) => each.id === id)?.name ?? id };
  return {
    type,
    timestamp: new Date(nowMs).toISOString(),
    data: {
      consortium: name,
      library,
      text: library === null ? text : `${library.name} ${text}`,
      runbook: `${RUNBOOK}#${section}`,
      facts,
    },
  };
}

/** What `passport notify test` sends. */
export function testMessage(consortium: string, nowMs: number): NotificationMessage {
  return {
    type: 'test',
    timestamp: new Date(nowMs).toISOString(),
    data: {
      consortium,
      library: null,
      text: 'This is a test: messages of Patron Passport arrive here.',
      runbook: 'docs/notifications.md',
      facts: {},
    },
  };
}

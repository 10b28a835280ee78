import type { Consortium } from '@passport/config';
import {
  type NotificationMessage,
  type NotificationTopic,
  OPERATOR_PAGES,
  operatorLink,
  runbookPath,
} from '@passport/contract';
import type { Observation } from './observation.ts';

/** The page of the dashboard about a topic. */
function pageOf(topic: NotificationTopic, library: string | null): string {
  if (library === null) return OPERATOR_PAGES.overview();
  switch (topic) {
    case 'library':
    case 'set_up_fault':
    case 'certificate':
    case 'deliveries_refused':
    case 'reports_refused':
      return OPERATOR_PAGES.library(library);
    case 'limit_reached':
      return OPERATOR_PAGES.waiting(library);
    case 'sweep_finished':
      return OPERATOR_PAGES.sweeps(library);
    // Of a library that has no page yet.
    case 'join_request':
    case 'worker_missing':
    case 'service_fault':
      return OPERATOR_PAGES.overview();
    default:
      return topic satisfies never;
  }
}

/** A section of the runbook, where somebody can open it. */
const runbookOf = (dashboard: string | null, section: string): string =>
  operatorLink(dashboard, OPERATOR_PAGES.runbook(section)) ?? runbookPath(section);

type Named = Pick<Consortium, 'name' | 'public'> & {
  readonly libraries: readonly { id: string; name: string }[];
};

/** The message about an observation. */
export function messageOf(
  {
    type,
    topic,
    library: id,
    text,
    section,
    facts,
  }: Observation & { readonly type: NonNullable<Observation['type']> },
  { name, libraries, public: { dashboard } }: Named,
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
      link: operatorLink(dashboard, pageOf(topic, id)),
      runbook: runbookOf(dashboard, section),
      facts,
    },
  };
}

/** What `passport notify test` sends. */
export function testMessage(
  { name: consortium, public: { dashboard } }: Pick<Consortium, 'name' | 'public'>,
  nowMs: number,
): NotificationMessage {
  return {
    type: 'test',
    timestamp: new Date(nowMs).toISOString(),
    data: {
      consortium,
      library: null,
      text: 'This is a test: messages of Patron Passport arrive here.',
      link: operatorLink(dashboard, OPERATOR_PAGES.overview()),
      runbook: runbookOf(dashboard, 'answer-a-message'),
      facts: {},
    },
  };
}

import { timeText } from '@passport/runtime';
import { describeState } from './describe-state.ts';
import { findEvent } from './find-event.ts';
import { withQueue } from '../../connect/with-queue.ts';
import { defineCommand, optional } from '../../program/index.ts';

export const eventsShow = defineCommand({
  summary: 'show the state of one event',
  description:
    'Shows the state of an event, by its own id or by the id of a double scan that was coalesced with it. The output contains no ' +
    'card, item or name.',
  examples: [
    'passport events show riverside.evt_3f2a',
    'passport events show evt_3f2a --at riverside --json',
  ],
  argument: ['<event>', 'LIBRARY.EVENT, or the event id'],
  options: { at: optional('<library>', 'the lending library, if several have an event with this id') },
  run: ({ at }, [named = ''], report, deps) =>
    withQueue(deps, async (open): Promise<0> => {
      const { state } = await findEvent(open, named, at);
      const nowMs = await open.now();
      report.json(state);
      report.line(describeState(state, report.colors));
      const {
        library,
        homes,
        patron_id: patronId,
        attempt,
        scanned_at: scannedAt,
        updated_at: updatedAt,
      } = state;
      const rows: (readonly [string, string])[] = [
        ['event', `${library}.${state.event_id}`],
        ['homes', homes.map(({ name }) => name).join(', ')],
        ['patron', patronId === null ? '' : `${patronId} (Koha's own number at ${library})`],
        ['attempt', String(attempt)],
        ['scanned', timeText(Date.parse(scannedAt), nowMs)],
        ['changed', timeText(Date.parse(updatedAt), nowMs)],
      ];
      for (const [what, text] of rows)
        if (text !== '') report.line(`  ${report.colors.dim(what.padEnd(9))}${text}`);
      return 0;
    }),
});

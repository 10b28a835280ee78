import type { KohaDouble } from '@passport/koha-double';
import { waitFor } from '@passport/testkit';
import type { Sent } from './sender.ts';

/** Waits until the outcome of every event was reported to the lending library's desk. */
export async function untilAllReported(
  lending: KohaDouble,
  events: readonly Pick<Sent, 'eventId'>[],
  timeoutMs = 30_000,
): Promise<void> {
  await waitFor(
    `the reports of ${events.length} outcomes to the desk of ${lending.library}`,
    () => {
      const over = new Set(
        lending
          .state()
          .outcomes.filter(({ state }) => state === 'done' || state === 'failed')
          .map(({ event_id: id }) => id),
      );
      const missing = events.filter(({ eventId }) => !over.has(eventId)).length;
      if (missing > 0) throw new Error(`${missing} are missing`);
      return true;
    },
    { timeoutMs, everyMs: 100 },
  );
}

/**
 * What is not as promised of events whose patrons are all fit to be copied: each has one copy, marked, and, where its
 * scan named an item, one checkout. Empty when all is right.
 */
export function brokenPromises(
  lending: KohaDouble,
  events: readonly Sent[],
  options: { isCheckedOut: boolean },
): readonly string[] {
  const all = lending.state();
  const reported = new Map(all.outcomes.map((row) => [row.event_id, row]));
  const copies = grouped(all.patrons, ({ cardnumber }) => cardnumber);
  const byPatron = grouped(all.checkouts, ({ patron_id: patron }) => patron);
  return events.flatMap(({ eventId, card }) => {
    const patrons = copies.get(card) ?? [];
    const checkouts = patrons.flatMap(({ patron_id: patron }) => byPatron.get(patron) ?? []);
    const marks = patrons.flatMap(({ extended_attributes: marked }) => marked.map(({ type }) => type)).sort();
    const row = reported.get(eventId);
    const checks = {
      [`reported to the desk: ${String(row?.['outcome'])}`]:
        row?.['outcome'] === 'COPIED' || row?.['outcome'] === 'ALREADY_LOCAL',
      [`${patrons.length} copies`]: patrons.length === 1,
      [`marked ${marks.join(' ')}`]: marks.join(' ') === 'PASSPORTED PASSPORTED_ID',
      [`${checkouts.length} checkouts`]: checkouts.length === (options.isCheckedOut ? 1 : 0),
      'a renewal': checkouts.every(({ renewals_count: times }) => times === 0),
    };
    const broken = Object.entries(checks).filter(([, holds]) => !holds);
    return broken.length === 0 ? [] : [`${eventId}: ${broken.map(([name]) => name).join(', ')}`];
  });
}

function grouped<T, K>(rows: readonly T[], keyOf: (row: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
}

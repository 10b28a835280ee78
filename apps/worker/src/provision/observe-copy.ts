import type { DisclosureReceipt } from '@passport/queue';
import type { CopyOrder } from './copy-order.ts';
import { type CopyResult, LOOK_ALIKE, observed } from './copy-result.ts';
import { findLocalCopy } from './local-copy.ts';
import { comparedFields } from './possible-duplicate.ts';
import type { Step } from './step.ts';

export interface ObserveDeps {
  /** Writes the receipt of a record that was read at home, once for each event. */
  readonly recordObserved: (receipt: Omit<DisclosureReceipt, 'at' | 'what'>) => Promise<void>;
}

/**
 * Finds out what would become of the copy at a lending library that only observes. It reads, at the lending library and where a
 * number may be out of use at home, and writes nothing. Whoever is looked for by name there is on record before.
 */
export async function observeCopy(
  order: CopyOrder,
  step: Step,
  { recordObserved }: ObserveDeps,
): Promise<Exclude<CopyResult, { kind: 'busy' }>> {
  const { lending, home, homeKey, eventId, fields: read, body } = order;
  const record = (fields: readonly string[]): Promise<void> =>
    recordObserved({ home, lending, homeKey, fields, eventId, read });
  const found = await findLocalCopy(order, step, false);
  const person = found === null ? order.searchFor : null;
  await record(person === null ? [] : comparedFields(person));
  if (found !== null) return found;
  const isThere =
    person !== null &&
    (await step.read(lending, (koha, limits) => koha.hasPossibleDuplicate(person, limits)));
  return isThere ? LOOK_ALIKE : observed(body.category_id, []);
}

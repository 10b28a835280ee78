import { MOST_LISTED_COPIES, type PatronElsewhere, parseElsewhereRequest } from '@passport/contract';
import { type CopyElsewhere, readPatronElsewhere } from '@passport/queue/elsewhere';
import { type FollowUpDeps, takeFollowUp } from './follow-up.ts';
import type { Delivery } from '../deliveries/authentication.ts';
import { callRedis } from '../deliveries/call-redis.ts';
import type { Refusal } from '../deliveries/refusal.ts';

export type ElsewhereGiven = { readonly kind: 'elsewhere'; readonly patron: PatronElsewhere } | Refusal;

interface ElsewhereDeps extends FollowUpDeps {
  /** All that copies can be at. */
  readonly libraries: readonly string[];
}

/**
 * Answers a home library where a patron of its own has copies, by the checks of a delivery in their order. Whose patron that is, the
 * signature says: a library cannot name another's.
 */
export function giveElsewhere(deps: ElsewhereDeps): (delivery: Delivery) => Promise<ElsewhereGiven> {
  const { redis, libraries, nameOf } = deps;
  const task = { doing: 'reading where a patron has copies', failed: 'copies of a patron not read' };
  return (delivery) =>
    takeFollowUp<ElsewhereGiven>(deps, delivery, null, async ({ library: home, json }) => {
      const parsed = parseElsewhereRequest(json);
      if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
      const { patronId } = parsed;
      const copies = await callRedis(deps, task, () =>
        readPatronElsewhere(redis, { home, patronId }, libraries),
      );
      if (copies === 'unavailable') return copies;
      const shown = copies.slice(0, MOST_LISTED_COPIES).map((copy) => copyOf(copy, nameOf));
      return { kind: 'elsewhere', patron: { patron_id: patronId, copies: shown } };
    });
}

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** Named one by one: the number of the copy at the lending library stays here. */
function copyOf(
  { lending, sinceMs, passedMs, fields, owed }: CopyElsewhere,
  nameOf: (library: string) => string,
): PatronElsewhere['copies'][number] {
  return {
    library: { id: lending, name: nameOf(lending) },
    since: isoOf(sinceMs),
    last_passed_on: isoOf(passedMs),
    fields: [...fields],
    owed:
      owed === null
        ? null
        : {
            overdues: owed.overdues,
            amount: owed.amount,
            read_at: new Date(owed.readMs).toISOString(),
          },
  };
}

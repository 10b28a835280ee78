import { expect, test } from '@jest/globals';
import { buildPauses } from '@passport/queue/processes';
import { withWindows } from '../src/koha/pauses.ts';
import { NOON } from './builders.ts';

const HOUR_MS = 3_600_000;
const once = (hours: number) => ({
  when: { kind: 'once' as const, fromMs: NOON - HOUR_MS, untilMs: NOON + hours * HOUR_MS },
  side: 'home' as const,
  reason: 'planned',
});

/** What is paused where an operator has paused midland for so many hours, and the file plans so many. */
function paused(ordered: number | null, planned: number | null) {
  const pauses = buildPauses(() => NOON);
  const common = { library: 'midland', side: 'home' as const, by: 'olga', at_ms: NOON };
  pauses.set({
    pauses: ordered === null ? [] : [{ ...common, until_ms: NOON + ordered * HOUR_MS, reason: 'said' }],
  });
  const windows = planned === null ? [] : [once(planned)];
  return withWindows(pauses, [{ id: 'midland', windows }], () => NOON);
}

test.each([
  ['neither', null, null, null],
  ['a command alone', 1, null, { untilMs: NOON + HOUR_MS, reason: 'said' }],
  ['a window alone', null, 2, { untilMs: NOON + 2 * HOUR_MS, reason: 'planned' }],
  ['a window that lasts longer', 1, 2, { untilMs: NOON + 2 * HOUR_MS, reason: 'planned' }],
  ['a command that lasts longer', 3, 2, { untilMs: NOON + 3 * HOUR_MS, reason: 'said' }],
  ['a window that is over', null, -0.5, null],
])('paused by %s', (_what, ordered, planned, expected) => {
  const pauses = paused(ordered, planned);
  if (expected === null) expect(pauses.of('midland', 'home')).toBeNull();
  else expect(pauses.of('midland', 'home')).toMatchObject(expected);
  expect(pauses.of('midland', 'lending')).toBeNull();
  expect(pauses.of('riverside', 'home')).toBeNull();
});

import { expect, test } from '@jest/globals';
import { buildHealthTracker } from '../src/koha/health-tracker.ts';
import { manualClock } from './builders.ts';

function open() {
  const clock = manualClock();
  const load = { answerMs: 100, waiting: 0 };
  const health = buildHealthTracker(['riverside', 'midland'], () => load, clock.now);
  /** What is written, by library, of what it last saw. */
  const written = () => health.takeChanges().map(([library]) => library);
  return { clock, load, health, written };
}

test('that a library answers once more is written once a minute', () => {
  const { clock, health, written } = open();
  health.answered('riverside');
  expect(written()).toEqual(['riverside']);
  clock.forward(2_000);
  health.answered('riverside');
  health.answered('midland');
  expect(written()).toEqual(['midland']);
  clock.forward(57_999);
  expect(written()).toEqual([]);
  clock.forward(1);
  const [first, ...others] = health.takeChanges();
  expect(first).toMatchObject(['riverside', { last_success_ms: clock.now() - 58_000 }]);
  expect(others).toEqual([]);
  clock.forward(60_000);
  expect(written()).toEqual([]);
});

test.each<[what: string, change: (bench: ReturnType<typeof open>) => void]>([
  ['its circuit opens', ({ health }) => health.circuitChanged('riverside', true)],
  ['a call fails', ({ health }) => health.failed('riverside', 'timeout')],
  [
    'its set-up is wrong',
    ({ health }) => health.misconfigured('riverside', { what: 'category', name: 'PT' }),
  ],
  ['a report is refused', ({ health }) => health.reported('riverside', 'not_found')],
  ['calls wait for a place', ({ load }) => (load.waiting = 3)],
  ['it has become slow', ({ load }) => (load.answerMs = 1_001)],
])('that %s is written at once', (_what, change) => {
  const bench = open();
  const { clock, health, written } = bench;
  health.answered('riverside');
  written();
  clock.forward(2_000);
  change(bench);
  health.answered('riverside');
  expect(written()).toEqual(['riverside']);
});

test('that nothing is the matter any more is written at once', () => {
  const { load, health, written } = open();
  Object.assign(load, { answerMs: 1_001, waiting: 3 });
  health.circuitChanged('riverside', true);
  health.misconfigured('riverside', { what: 'category', name: 'PT' });
  written();
  health.circuitChanged('riverside', false);
  expect(written()).toEqual(['riverside']);
  health.worked('riverside');
  expect(written()).toEqual(['riverside']);
  for (const well of [{ waiting: 0 }, { answerMs: 100 }]) {
    Object.assign(load, well);
    health.answered('riverside');
    expect(written()).toEqual(['riverside']);
  }
});

test('what could not be written is written the next time', () => {
  const { health, written } = open();
  health.answered('riverside');
  written();
  health.unwritten('riverside');
  expect(written()).toEqual(['riverside']);
});

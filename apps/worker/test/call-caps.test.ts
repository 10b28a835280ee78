import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { buildCallCaps } from '../src/koha/call-caps.ts';
import { manualClock } from './builders.ts';

const HOUR_MS = 3_600_000;

/** A library's cap, with a plugin that says `workers` or fails. */
function bench(maxInFlight: number | 'auto', workers: number | null | Error) {
  const clock = manualClock(1);
  const caps = buildCallCaps(
    [{ id: 'riverside', koha: { maxInFlight } as Parameters<typeof buildCallCaps>[0][number]['koha'] }],
    clock.now,
  );
  const set: number[] = [];
  let queries = 0;
  caps.attach('riverside', {
    about() {
      queries += 1;
      if (workers instanceof Error) return Promise.reject(workers);
      return Promise.resolve({
        version: '1.0.0',
        koha_version: null,
        time: null,
        attribute_types: [],
        preferences: {},
        plack_workers: workers,
      });
    },
    waiting: 0,
    setMaxInFlight: (calls) => void set.push(calls),
  });
  return { clock, caps, set, queries: () => queries };
}

describe('the cap of a Koha', () => {
  test.each([
    [2, 2],
    [1, 1],
    [0, 1],
    [64, 8],
    [null, 8],
  ])('whose plugin reports %s web workers is %i', async (workers, cap) => {
    const { caps, set } = bench('auto', workers);
    expect(caps.of('riverside')).toBe(8);
    caps.crowded('riverside');
    await waitFor('the cap to be set', () => set.length > 0);
    expect(set).toEqual([cap]);
    expect(caps.of('riverside')).toBe(cap);
  });

  test('is queried once an hour', async () => {
    const { clock, caps, set, queries } = bench('auto', 2);
    for (let call = 0; call < 10; call += 1) caps.crowded('riverside');
    await waitFor('the cap to be set', () => set.length > 0);
    clock.forward(HOUR_MS - 1);
    caps.crowded('riverside');
    expect(queries()).toBe(1);
    clock.forward(1);
    caps.crowded('riverside');
    expect(queries()).toBe(2);
  });

  test('of a Koha without the plugin stays, and is queried again after five minutes', async () => {
    const { clock, caps, set, queries } = bench('auto', new Error('not found'));
    caps.crowded('riverside');
    caps.crowded('riverside');
    expect(queries()).toBe(1);
    clock.forward(HOUR_MS / 12);
    caps.crowded('riverside');
    expect(queries()).toBe(2);
    expect(set).toEqual([]);
    expect(caps.of('riverside')).toBe(8);
  });

  test('that the file names is not queried', () => {
    const { caps, queries } = bench(5, 2);
    caps.crowded('riverside');
    expect(queries()).toBe(0);
    expect(caps.of('riverside')).toBe(5);
  });
});

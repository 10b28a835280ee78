import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Circuit, buildCircuit } from '../src/koha/circuit.ts';
import { type ManualClock, manualClock } from './builders.ts';

/** Draws pauses at their longest. */
const LONGEST = 1;

interface Bench {
  readonly circuit: Circuit;
  readonly clock: ManualClock;
  readonly changes: boolean[];
}

function bench(): Bench {
  const clock = manualClock();
  const changes: boolean[] = [];
  const random = (): number => LONGEST;
  return { circuit: buildCircuit(clock.now, (isOpen) => changes.push(isOpen), random), clock, changes };
}

/** Five failures in a row. */
function opened(): Bench {
  const made = bench();
  for (let n = 0; n < 5; n += 1) made.circuit.failed(made.circuit.enter());
  return made;
}

describe('a closed circuit', () => {
  test('lets calls through while fewer than five in a row fail', () => {
    const { circuit } = bench();
    for (let n = 0; n < 4; n += 1) circuit.failed(circuit.enter());
    expect(circuit.enter()).toBe('pass');
    expect(circuit.isOpen).toBe(false);
  });

  test('counts only failures in a row', () => {
    const { circuit } = bench();
    for (let n = 0; n < 4; n += 1) circuit.failed(circuit.enter());
    circuit.succeeded();
    for (let n = 0; n < 4; n += 1) circuit.failed(circuit.enter());
    expect(circuit.isOpen).toBe(false);
  });

  test('opens at the fifth, and says so once', () => {
    const { circuit, changes } = opened();
    circuit.failed('pass');
    expect(circuit.enter()).toBe('refuse');
    expect(changes).toEqual([true]);
  });

  test('is not moved by inconclusive calls', () => {
    const { circuit } = bench();
    for (let n = 0; n < 20; n += 1) circuit.abandoned(circuit.enter());
    expect(circuit.isOpen).toBe(false);
  });
});

describe('an open circuit', () => {
  test('lets exactly one call try after a quarter of a second', () => {
    const { circuit, clock } = opened();
    clock.forward(249);
    expect(circuit.enter()).toBe('refuse');
    clock.forward(1);
    expect(circuit.isDue).toBe(true);
    expect([circuit.enter(), circuit.enter(), circuit.enter()]).toEqual(['probe', 'refuse', 'refuse']);
    expect(circuit.isDue).toBe(false);
  });

  test('closes when that one succeeds', () => {
    const { circuit, clock, changes } = opened();
    clock.forward(1_000);
    circuit.enter();
    circuit.succeeded();
    expect(circuit.enter()).toBe('pass');
    expect(changes).toEqual([true, false]);
  });

  /** Milliseconds from each failed try to the next one. */
  function pausesOf({ circuit, clock }: Bench, count: number): number[] {
    return Array.from({ length: count }, () => {
      let waited = 0;
      while (!circuit.isDue && waited < 20_000) {
        clock.forward(100);
        waited += 100;
      }
      circuit.failed(circuit.enter());
      return waited;
    });
  }

  test('is tried soon, then each second for ten seconds, then at doubled pauses of never more than eight', () => {
    const pauses = pausesOf(opened(), 18);
    expect(pauses.slice(0, 2)).toEqual([300, 500]);
    expect(pauses.slice(2, 13)).toEqual([...Array.from({ length: 10 }, () => 1_000), 2_000]);
    expect(pauses.slice(13)).toEqual([4_000, 8_000, 8_000, 8_000, 8_000]);
  });

  test('is tried at random moments, or one that fails and works alternately would always be found failing', () => {
    const clock = manualClock();
    const draws = [0, 0, 0, 0.5, 0.9, 0.2];
    const random = (): number => draws.shift() ?? 0;
    const circuit = buildCircuit(clock.now, () => undefined, random);
    for (let n = 0; n < 5; n += 1) circuit.failed(circuit.enter());
    expect(pausesOf({ circuit, clock, changes: [] }, 6)).toEqual([200, 300, 500, 800, 1_000, 600]);
  });

  test('begins with a short pause again the next time', () => {
    const { circuit, clock } = opened();
    clock.forward(1_000);
    circuit.failed(circuit.enter());
    clock.forward(2_000);
    circuit.enter();
    circuit.succeeded();
    for (let n = 0; n < 5; n += 1) circuit.failed(circuit.enter());
    clock.forward(1_000);
    expect(circuit.enter()).toBe('probe');
  });

  test('lets another one try when the first try was inconclusive', () => {
    const { circuit, clock } = opened();
    clock.forward(1_000);
    circuit.abandoned(circuit.enter());
    expect(circuit.enter()).toBe('probe');
  });

  test('does not take a call from before it opened for the one that tries', () => {
    const { circuit, clock } = opened();
    clock.forward(1_000);
    circuit.enter();
    circuit.failed('pass');
    circuit.abandoned('pass');
    expect(circuit.enter()).toBe('refuse');
  });
});

test('at most one call is ever trying while it is open', () => {
  const steps = fc.array(fc.constantFrom('enter', 'fail', 'succeed', 'abandon', 'wait' as const), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const { circuit, clock } = opened();
      const out: ('pass' | 'probe')[] = [];
      for (const step of all) {
        if (step === 'wait') clock.forward(5_000);
        if (step === 'enter') {
          const passage = circuit.enter();
          if (passage !== 'refuse') out.push(passage);
        }
        const [done] = step === 'enter' || step === 'wait' ? [] : out.splice(0, 1);
        if (done !== undefined && step === 'fail') circuit.failed(done);
        if (done !== undefined && step === 'succeed') {
          circuit.succeeded();
          out.length = 0;
        }
        if (done !== undefined && step === 'abandon') circuit.abandoned(done);
        expect(out.filter((passage) => passage === 'probe').length).toBeLessThanOrEqual(1);
      }
    }),
  );
});

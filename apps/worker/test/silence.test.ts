import { expect, test } from '@jest/globals';
import { buildSilence } from '../src/koha/silence.ts';
import { manualClock } from './builders.ts';

function bench(sent = Infinity) {
  const clock = manualClock();
  return { clock, silence: buildSilence(clock.now, () => sent) };
}

test('two calls that wait for a second without an answer to any are enough', () => {
  const { clock, silence } = bench();
  silence.begin();
  silence.begin();
  clock.forward(999);
  expect(silence.isSuspicious).toBe(false);
  clock.forward(1);
  expect(silence.isSuspicious).toBe(true);
});

test('a call that was not sent, since others are under way, does not count', () => {
  const { clock, silence } = bench(1);
  for (let call = 0; call < 5; call += 1) silence.begin();
  clock.forward(5_000);
  expect(silence.isSuspicious).toBe(false);
});

test('one call alone may take its time', () => {
  const { clock, silence } = bench();
  silence.begin();
  clock.forward(10_000);
  expect(silence.isSuspicious).toBe(false);
});

test('a library that answers slowly, but answers, is not suspicious', () => {
  const { clock, silence } = bench();
  const calls = Array.from({ length: 8 }, () => silence.begin());
  for (const over of calls.slice(0, 6)) {
    clock.forward(900);
    over('answered');
    expect(silence.isSuspicious).toBe(false);
  }
});

test('after one was given up the next goes alone, until one is answered', () => {
  const { silence } = bench();
  silence.begin()('silent');
  expect(silence.isSuspicious).toBe(false);
  const over = silence.begin();
  expect(silence.isSuspicious).toBe(true);
  over('answered');
  silence.begin();
  expect(silence.isSuspicious).toBe(false);
});

test('a call that was never sent says nothing', () => {
  const { silence } = bench();
  silence.begin()('silent');
  silence.begin()('no news');
  silence.begin();
  expect(silence.isSuspicious).toBe(true);
});

import { expect, test } from '@jest/globals';
import { createCounter, createGauge, createHistogram, createMetrics } from '@passport/runtime';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60];
const LIBRARIES = ['riverside', 'a "quoted" one', String.raw`back\slash`, 'two\nlines', 'ünïcode'];
const TIMES = [0, 0.01, 0.011, 0.3, 1, 59.9, 60, 61, 1_000];

const linesOf = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.includes('passport_process_info'));

test('the text is what prom-client makes of the same metrics', async () => {
  const ours = createMetrics({ process: 'worker', processMetrics: false });
  const theirs = new Registry();
  const registers = [theirs];
  const counter = { name: 'events_total', help: 'Events, by "library"\nand \\ result' };
  const count = createCounter(ours, { ...counter, labels: ['library', 'result'] }, [
    { library: 'never', result: 'accepted' },
  ]);
  const counted = new Counter({ ...counter, labelNames: ['library', 'result'], registers });
  counted.inc({ library: 'never', result: 'accepted' }, 0);
  const histogram = { name: 'step_seconds', help: 'Steps' };
  const observe = createHistogram(ours, { ...histogram, labels: ['library', 'operation'] });
  const observed = new Histogram({
    ...histogram,
    labelNames: ['library', 'operation'],
    buckets: BUCKETS,
    registers,
  });
  for (const library of LIBRARIES) {
    for (const [place, seconds] of TIMES.entries()) {
      count({ library, result: 'accepted' }, place);
      counted.inc({ library, result: 'accepted' }, place);
      observe({ library, operation: 'GET /patrons' }, seconds);
      observed.observe({ library, operation: 'GET /patrons' }, seconds);
    }
  }
  const values = [0, -1.5, 1e21, 1e-7, Infinity, -Infinity];
  createGauge(ours, { name: 'share', help: 'Share', labels: ['place'] }, () =>
    values.map((value, place) => [{ place: String(place) }, value]),
  );
  const gauge = new Gauge({ name: 'share', help: 'Share', labelNames: ['place'], registers });
  for (const [place, value] of values.entries()) gauge.set({ place: String(place) }, value);

  expect(linesOf(await ours.metrics())).toEqual(expect.arrayContaining(linesOf(await theirs.metrics())));
  expect(linesOf(await ours.metrics())).toHaveLength(linesOf(await theirs.metrics()).length);
});

test('a gauge has the series that it was read with, and no other', async () => {
  const registry = createMetrics({ process: 'worker', processMetrics: false });
  let libraries = ['riverside', 'midland'];
  createGauge(registry, { name: 'open', help: 'Open', labels: ['library'] }, () =>
    libraries.map((library) => [{ library }, 1]),
  );
  expect(await registry.metrics()).toContain('open{library="midland"} 1');
  libraries = ['riverside'];
  expect(await registry.metrics()).not.toContain('midland');
});

test('two metrics of one name are an error', () => {
  const registry = createMetrics({ process: 'worker', processMetrics: false });
  createCounter(registry, { name: 'events_total', help: 'Events' });
  expect(() => createCounter(registry, { name: 'events_total', help: 'Events' })).toThrow('events_total');
});

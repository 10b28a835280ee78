import { expect, test } from '@jest/globals';
import { KOHAS } from '../src/many-libraries.ts';
import { buildTraffic, sizeOf, type Visit } from '../src/traffic.ts';

const take = (libraries: number, count: number): readonly Visit[] => {
  const traffic = buildTraffic(libraries, 1);
  return Array.from({ length: count }, () => traffic.next());
};
const placeOf = (library: string): number => Number(library.split('-')[1]);
/** The library whose card it is. */
const homeOf = ({ data }: Visit): number => Number(String(data['cardnumber']).slice(0, 5)) - 20_000;

test('brings the same visitors to the same desks each time', () => {
  expect(take(100, 500)).toEqual(take(100, 500));
});

test('has nobody scan at a library in trouble, and says which homes are', () => {
  const { manners, paused } = buildTraffic(100, 1);
  const inTrouble = new Set([
    ...paused,
    ...Object.entries(manners).flatMap(([id, manner]) => (Number(manner) <= 150 ? [] : [id])),
  ]);
  const visits = take(100, 5_000);
  expect(inTrouble.size).toBe(5);
  expect(visits.filter(({ library }) => inTrouble.has(library))).toEqual([]);
  expect(visits.every((visit) => visit.isWell !== inTrouble.has(`library-${homeOf(visit)}`))).toBe(true);
  expect(visits.some(({ isWell }) => !isWell)).toBe(true);
});

test('uses no item twice and no more patrons and items than the stand-ins have', () => {
  const [libraries, events] = [40, 10_000];
  const { patrons, items } = sizeOf(libraries, events);
  const visits = take(libraries, events);
  const used = visits.map(
    ({ library, data }) => `${placeOf(library) % KOHAS} ${String(data['item_barcode'])}`,
  );
  expect(new Set(used).size).toBe(events);
  expect(Math.max(...visits.map(({ data }) => Number(String(data['item_barcode']).slice(5))))).toBeLessThan(
    items,
  );
  const cards = visits.map(({ data }) => Number(String(data['cardnumber']).slice(5)));
  expect(Math.max(...cards.filter((card) => card < 500_000_000))).toBeLessThan(patrons);
});

test('brings visitors back to where they have a copy', () => {
  const seen = new Set<string>();
  const back = take(40, 10_000).filter(({ library, data }) => {
    const visit = `${library} ${String(data['cardnumber'])}`;
    const wasThere = seen.has(visit);
    seen.add(visit);
    return wasThere;
  });
  expect(back.length).toBeGreaterThan(1_000);
  expect(back.every(({ isWell }) => isWell)).toBe(true);
});

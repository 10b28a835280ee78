import { describe, expect, test } from '@jest/globals';
import { crossAgreements, indexAgreements } from '../src/agreements/agreements.ts';
import { at, parse, validFile } from './valid-file.ts';

const HOMES = ['midland', 'riverside', 'lakeside', 'home-only'];
const LENDERS = ['midland', 'riverside', 'lakeside', 'lends-only'];

describe('agreements: all', () => {
  const cross = crossAgreements(HOMES, LENDERS);
  const listed = indexAgreements(cross.all());
  const isNoLake = (home: string): boolean => home !== 'lakeside';

  test('are the same as a list of the same pairs, from whatever side they are looked at', () => {
    expect(cross.count).toBe(listed.count);
    for (const id of [...HOMES, ...LENDERS, 'nowhere']) {
      expect(cross.at(id)).toEqual(listed.at(id));
      expect(cross.among(id, isNoLake)).toEqual(listed.among(id, isNoLake));
      expect(cross.among(id, isNoLake)).toEqual(cross.at(id).filter(({ home }) => isNoLake(home)));
      expect(cross.homesAt(id)).toEqual(listed.homesAt(id));
      expect(cross.lendersOf(id)).toEqual(listed.lendersOf(id));
      expect([cross.isLending(id), listed.isLending(id)]).toEqual(Array(2).fill(cross.at(id).length > 0));
      expect([cross.isHome(id), listed.isHome(id)]).toEqual(Array(2).fill(cross.lendersOf(id).size > 0));
    }
  });

  test('of one library are none', () => {
    const alone = crossAgreements(['a'], ['a']);
    expect([alone.isLending('a'), alone.isHome('a')]).toEqual([false, false]);
  });

  test('pair nobody with itself, and nobody with a library that is no lending library', () => {
    expect([...cross.homesAt('midland')]).toEqual(['riverside', 'lakeside', 'home-only']);
    expect(cross.at('home-only')).toEqual([]);
    expect([...cross.lendersOf('lends-only')]).toEqual([]);
    expect(cross.count).toBe(13);
  });

  test('of ten thousand libraries are a hundred million pairs, and none is made before it is looked at', () => {
    const ids = Array.from({ length: 10_000 }, (_, place) => `library-${place}`);
    const { count, at: pairsAt } = crossAgreements(ids, ids);
    expect(count).toBe(99_990_000);
    expect(pairsAt('library-7')).toHaveLength(9_999);
  });

  test('a file of libraries that are not enabled and home-only libraries comes to the pairs that can work', () => {
    const file = validFile();
    at(file, 'libraries', 1)['enabled'] = false;
    const { agreements } = parse(file);
    expect(agreements.count).toBe(1);
    expect([...agreements.homesAt('midland')]).toEqual(['lakeside']);
    expect([...agreements.lendersOf('riverside')]).toEqual([]);
  });
});

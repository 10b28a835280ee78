import { describe, expect, test } from '@jest/globals';
import { testedReleases } from '@passport/koha-double';
import { CARD, testThatRequestsFit, useContractBench } from './contract-bench.ts';

describe.each(testedReleases)('restrictions at a Koha %s', (release) => {
  const bench = useContractBench(release);
  const isRestricted = (): boolean => bench.koha.state(CARD).patrons[0]?.restricted === true;

  test('one that was set is listed, restricts the patron, and is lifted without any other', async () => {
    const patronId = await bench.created();
    const [here, there] = ['riverside', 'lakeside'].map(
      (library) => ({ kind: 'owed', library, patronId }) as const,
    );
    if (here === undefined || there === undefined) throw new Error('two restrictions');
    for (const each of [here, there, here]) {
      expect(await bench.client.setRestriction(each, null)).toBe('done');
    }
    expect(await bench.client.listRestrictions('owed')).toEqual([here, there]);
    expect(await bench.client.listRestrictions('home')).toEqual([]);
    for (const each of [here, here]) expect(await bench.client.liftRestriction(each)).toBe('done');
    expect([await bench.client.listRestrictions('owed'), isRestricted()]).toEqual([[there], true]);
    await bench.client.liftRestriction(there);
    expect(isRestricted()).toBe(false);
  });

  test('one for a standing names its reasons, and is found and lifted whichever they are', async () => {
    const patronId = await bench.created();
    const restriction = { kind: 'standing', library: 'midland', patronId } as const;
    for (const codes of [['EXPIRED', 'DEBT_OVER_LIMIT'], ['EXPIRED'], []]) {
      expect(await bench.client.setRestriction(restriction, null, { codes })).toBe('done');
      expect(await bench.client.listRestrictions('standing')).toEqual([restriction]);
    }
    await bench.client.liftRestriction(restriction);
    expect([await bench.client.listRestrictions('standing'), isRestricted()]).toEqual([[], false]);
  });

  test('one ends before its date, and the restriction of a member of staff stays', async () => {
    const patronId = await bench.created();
    const restriction = { kind: 'home', library: 'midland', patronId } as const;
    await bench.client.setRestriction(restriction, '2020-01-01');
    expect(isRestricted()).toBe(false);
    bench.koha.putPatron(CARD, { restricted: true });
    await bench.client.liftRestriction(restriction);
    expect(isRestricted()).toBe(true);
  });

  test('nobody is restricted who is not there, or anonymised', async () => {
    const patronId = await bench.created();
    const restriction = { kind: 'owed', library: 'riverside', patronId } as const;
    expect(await bench.client.setRestriction({ ...restriction, patronId: 99_999 }, null)).toBe('gone');
    bench.koha.anonymizePatron(CARD);
    expect(await bench.client.setRestriction(restriction, null)).toBe('anonymized');
    expect(await bench.client.listRestrictions('owed')).toEqual([]);
  });

  test('more than a page are listed, each once', async () => {
    await bench.created();
    const libraries = Array.from({ length: 201 }, (_, index) => `library-${index}`);
    const row = (library: string, index: number) => ({
      id: index + 1,
      type: 'PASSPORT_OWED',
      comment: `Patron Passport: debts at ${library}`,
      expiration: null,
    });
    bench.koha.putPatron(CARD, { restrictions: libraries.map(row) });
    const listed = await bench.client.listRestrictions('owed');
    expect(listed?.map(({ library }) => library)).toEqual(libraries);
  });

  test('a Koha without the plugin has none, and says so', async () => {
    bench.koha.putSettings({ plugin: false });
    expect(await bench.client.listRestrictions('owed')).toBeNull();
    const restriction = { kind: 'owed', library: 'riverside', patronId: 1 } as const;
    await expect(bench.client.setRestriction(restriction, null)).rejects.toMatchObject({ status: 404 });
  });

  testThatRequestsFit(bench, []);
});

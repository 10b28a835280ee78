import { describe, expect, test } from '@jest/globals';
import { testedReleases } from '@passport/koha-double';
import { CARD, testThatRequestsFit, useContractBench } from './contract-bench.ts';

const READ = 'GET /contrib/passport/patrons/{patron_id}/restrictions';

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

  test('a patron has those in force, with comments only where they are wanted, and none of what the plugin wrote', async () => {
    const patronId = await bench.created();
    const row = (id: number, type: string, expiration: string | null) => ({
      id,
      type,
      comment: 'A note',
      expiration,
    });
    bench.koha.putPatron(CARD, {
      restrictions: [
        row(11, 'SUSPENSION', '2999-01-02'),
        row(12, 'OF_OURS', null),
        row(13, 'MANUAL', '2001-01-01'),
      ],
    });
    await bench.client.setRestriction({ kind: 'owed', library: 'riverside', patronId }, null);
    const read = (comments: boolean) => bench.client.readPatronRestrictions(patronId, { comments });
    const [suspended, own, owed] = [
      { type: 'SUSPENSION', until: '2999-01-02', comment: null },
      { type: 'MANUAL', until: null, comment: null },
      { type: 'MANUAL', until: null, comment: null },
    ];
    expect(await read(false)).toEqual([owed, suspended, own]);
    const noted = { comment: 'A note' };
    expect(await read(true)).toEqual([owed, { ...suspended, ...noted }, { ...own, ...noted }]);
    const body = { error: 'no', error_code: 'not_the_service' };
    bench.koha.addFaults([{ operation: READ, kind: 'status', status: 403, body }]);
    expect(await read(true)).toBeNull();
    bench.koha.putSettings({ plugin: false });
    expect(await read(true)).toBeNull();
  });

  test('whether the plugin would set one is known without setting it', async () => {
    const takes = () => bench.client.takesRestrictions('home');
    expect(await takes()).toBe(true);
    const body = { error: 'no', error_code: 'not_the_service' };
    const operation = 'GET /contrib/passport/restrictions/{kind}';
    bench.koha.addFaults([{ operation, kind: 'status', status: 403, body }]);
    await expect(takes()).rejects.toMatchObject({ code: 'permission' });
    bench.koha.putSettings({ plugin: false });
    expect(await takes()).toBe(false);
  });

  test('one for home has its end, its type and what was noted, and is found with them', async () => {
    const patronId = await bench.created();
    const restriction = { kind: 'home', library: 'midland', patronId } as const;
    const how = { codes: ['MANUAL'], comment: 'Asked to call' };
    expect(await bench.client.setRestriction(restriction, '2999-01-02', how)).toBe('done');
    expect(bench.koha.state(CARD).patrons[0]?.['restrictions']).toMatchObject([
      {
        comment: 'Patron Passport: restricted at midland (MANUAL) "Asked to call"',
        expiration: '2999-01-02',
      },
    ]);
    expect(await bench.client.listRestrictions('home')).toEqual([restriction]);
    bench.koha.addFaults([
      {
        operation: 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}',
        kind: 'status',
        status: 400,
        body: { errors: [{ message: 'Properties not allowed: comment.', path: '/body' }] },
      },
    ]);
    expect(await bench.client.setRestriction(restriction, null, how)).toBe('done');
    expect(bench.koha.state(CARD).patrons[0]?.['restrictions']).toMatchObject([
      { comment: 'Patron Passport: restricted at midland', expiration: null },
    ]);
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

import { describe, expect, test } from '@jest/globals';
import { testedReleases, servicePermissions } from '@passport/koha-double';
import { CARD, HOME_KEY, testThatRequestsFit, useContractBench } from './contract-bench.ts';

describe.each(testedReleases)('deletions at a Koha %s', (release) => {
  const bench = useContractBench(release);
  const keyed = { homeKey: HOME_KEY, homeKeyType: 'PASSPORTED_ID' };

  const createdCopy = async (): Promise<number> => {
    const patronId = await bench.created();
    await bench.client.rememberCopy({ patronId, homeKey: HOME_KEY, version: 0, fields: {} });
    return patronId;
  };

  test('a copy that nothing keeps is deleted, once', async () => {
    const patronId = await createdCopy();
    expect(await bench.client.readDeletionFacts([patronId])).toMatchObject([{ patronId, blocks: [] }]);
    expect(await bench.client.deleteCopy({ patronId, ...keyed })).toEqual({ kind: 'deleted' });
    expect(bench.koha.state(CARD).patrons).toEqual([]);
    expect(await bench.client.deleteCopy({ patronId, ...keyed })).toEqual({ kind: 'gone' });
    expect(await bench.client.readDeletionFacts([patronId])).toEqual([]);
  });

  test('a copy with a hold or a credit is kept, and a patron with another home key', async () => {
    const patronId = await createdCopy();
    bench.koha.putItem('B-1', { hold: { patron_id: patronId } });
    bench.koha.putPatron(CARD, { account_balance: -2 });
    expect(await bench.client.deleteCopy({ patronId, ...keyed })).toEqual({
      kind: 'blocked',
      blocks: ['credit', 'holds'],
    });
    const other = { patronId, ...keyed, homeKey: 'midland:1' };
    expect(await bench.client.deleteCopy(other)).toEqual({ kind: 'not_this_copy' });
    expect(bench.koha.state(CARD).patrons).toHaveLength(1);
  });

  test('a record that the service has not written into stays', async () => {
    const patronId = await bench.created();
    expect(await bench.client.deleteCopy({ patronId, ...keyed })).toEqual({ kind: 'not_this_copy' });
    expect(bench.koha.state(CARD).patrons).toHaveLength(1);
  });

  test('without the permission nothing is deleted', async () => {
    const patronId = await bench.created();
    bench.koha.putPatron('PASSPORT-SERVICE', {
      permissions: servicePermissions.map((each) =>
        each === 'borrowers:1' ? 'borrowers:edit_borrowers' : each,
      ),
    });
    await expect(bench.client.deleteCopy({ patronId, ...keyed })).rejects.toMatchObject({
      code: 'permission',
      effect: 'none',
    });
    expect(bench.koha.state(CARD).patrons).toHaveLength(1);
  });

  testThatRequestsFit(bench, []);
});

import { describe, expect, test } from '@jest/globals';
import { testedReleases } from '@passport/koha-double';
import { CARD, testThatRequestsFit, useContractBench } from './contract-bench.ts';

const KEY = { type: 'PASSPORTED_ID', value: 'midland:8' };

describe.each(testedReleases)('single attributes of a Koha %s', (release) => {
  const bench = useContractBench(release);

  const put = (card: string, extended_attributes: object[] = []): number => {
    bench.koha.putPatron(card, { surname: 'Okafor', extended_attributes });
    return Number(bench.koha.state(card).patrons[0]?.patron_id);
  };
  const attributesOf = (card: string) => bench.koha.state(card).patrons[0]?.extended_attributes;
  const PASSPORT = { type: 'PASSPORTED', value: 'midland' };

  test('one is added, and the others stay', async () => {
    const id = put(CARD, [PASSPORT]);
    expect(await bench.client.addAttribute(id, KEY)).toEqual({ kind: 'added' });
    expect(attributesOf(CARD)).toMatchObject([PASSPORT, KEY]);
  });

  test('one that another patron has is not added, nor a second of a type that takes one', async () => {
    put('OTHER', [KEY]);
    const id = put(CARD, [{ ...KEY, value: 'midland:9' }]);
    expect(await bench.client.addAttribute(id, KEY)).toEqual({ kind: 'taken' });
    expect(await bench.client.addAttribute(id, { ...KEY, value: 'midland:10' })).toEqual({ kind: 'taken' });
  });

  test('none is added of a type that Koha does not have, nor to a patron it does not have', async () => {
    const id = put(CARD);
    expect(await bench.client.addAttribute(id, { type: 'NOPE', value: '1' })).toEqual({
      kind: 'no_such_type',
    });
    expect(await bench.client.addAttribute(id + 4_711, KEY)).toEqual({ kind: 'gone' });
  });

  test('one is changed, unless another patron has that value, or it is gone', async () => {
    put('OTHER', [KEY]);
    const id = put(CARD, [PASSPORT, { ...KEY, value: 'midland:9' }]);
    const copy = await bench.client.readPatron(id);
    const attributeId = copy?.attributes?.find(({ type }) => type === KEY.type)?.id ?? 0;
    const at = { patronId: id, attributeId };
    expect(await bench.client.changeAttribute(at, KEY.value)).toEqual({ kind: 'taken' });
    expect(await bench.client.changeAttribute(at, 'midland:10')).toEqual({ kind: 'changed' });
    expect(attributesOf(CARD)).toMatchObject([PASSPORT, { ...KEY, value: 'midland:10' }]);
    await bench.client.removeAttribute(at);
    expect(await bench.client.changeAttribute(at, 'midland:11')).toEqual({ kind: 'gone' });
  });

  test('one is removed, once, and the others stay', async () => {
    const id = put(CARD, [PASSPORT, KEY]);
    const copy = await bench.client.readPatron(id);
    const attributeId = copy?.attributes?.find(({ type }) => type === KEY.type)?.id ?? 0;
    expect(await bench.client.removeAttribute({ patronId: id, attributeId })).toBe(true);
    expect(attributesOf(CARD)).toMatchObject([PASSPORT]);
    expect(await bench.client.removeAttribute({ patronId: id, attributeId })).toBe(false);
  });

  test('an expiry date is changed alone', async () => {
    const id = put(CARD, [PASSPORT]);
    const body = { surname: 'Okafor', library_id: 'MAIN', category_id: 'PT', expiry_date: '2026-01-31' };
    expect(await bench.client.changePatron(id, body, { branch: 'MAIN' })).toMatchObject({
      kind: 'changed',
    });
    expect(await bench.client.readPatron(id)).toMatchObject({
      expiryDate: '2026-01-31',
      attributes: [PASSPORT],
    });
  });

  testThatRequestsFit(bench, []);
});

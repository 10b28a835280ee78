import { beforeEach, describe, expect, test } from '@jest/globals';
import { isFrom, servicePermissions, testedReleases } from '@passport/koha-double';
import type { AnswerShape } from '../src/index.ts';
import { at, CARD, useContractBench } from './contract-bench.ts';

const BOOK = 'Rehearsal-BCDFGHJ';

describe.each(testedReleases)('what a rehearsal makes and removes at a Koha %s', (release) => {
  const bench = useContractBench(release);
  beforeEach(() => {
    const more = ['editcatalogue:edit_catalogue', 'updatecharges:remaining_permissions'];
    bench.koha.putSettings({ permissions: [...servicePermissions, ...more] });
  });

  async function shelved(barcode: string, biblioId: number): Promise<number> {
    const made = await bench.client.makeItem({ biblioId, barcode, ...at, itemType: 'BK' });
    if (made.kind !== 'made') throw new Error(`no item: ${made.status}`);
    return made.id;
  }

  async function withBiblio(): Promise<number> {
    const made = await bench.client.makeBiblio(BOOK);
    if (made.kind !== 'made') throw new Error(`no biblio: ${made.status}`);
    return made.id;
  }

  test('a biblio with an item: found by title and barcode, and removed in the right order only', async () => {
    const biblioId = await withBiblio();
    const itemId = await shelved('PPR01', biblioId);
    expect(await bench.client.findBiblios(BOOK)).toEqual([{ biblioId }]);
    expect(await bench.client.findBiblios('Rehearsal-OTHER')).toEqual([]);
    expect(await bench.client.findItem('PPR01')).toEqual({ itemId, biblioId });
    const twice = { biblioId, barcode: 'PPR01', ...at, itemType: 'BK' };
    expect(await bench.client.makeItem(twice)).toMatchObject({ kind: 'refused', status: 409 });
    expect(await bench.client.removeBiblio(biblioId)).toMatchObject({ kind: 'refused', status: 409 });
    expect(await bench.client.removeItem(itemId)).toEqual({ kind: 'removed' });
    expect(await bench.client.removeItem(itemId)).toEqual({ kind: 'gone' });
    expect(await bench.client.removeBiblio(biblioId)).toEqual({ kind: 'removed' });
    expect(await bench.client.removeBiblio(biblioId)).toEqual({ kind: 'gone' });
  });

  test('an item that is checked out is checked in by the bundle of another one', async () => {
    const biblioId = await withBiblio();
    const hostItemId = await shelved('PPR00', biblioId);
    const itemId = await shelved('PPR01', biblioId);
    const patronId = await bench.created();
    await bench.client.checkOut({ patronId, barcode: 'PPR01' }, at);
    expect(await bench.client.removeItem(itemId)).toMatchObject({ kind: 'refused', code: 'checked_out' });
    expect(await bench.client.removePatron(patronId)).toMatchObject({
      kind: 'refused',
      code: 'has_checkouts',
    });
    expect(await bench.client.checkIn({ itemId, barcode: 'PPR01', hostItemId }, at)).toEqual({
      kind: 'removed',
    });
    expect(await bench.client.findCheckout(patronId, itemId)).toBeNull();
    expect(await bench.client.removeItem(itemId)).toEqual({ kind: 'removed' });
    expect(await bench.client.removePatron(patronId)).toEqual({ kind: 'removed' });
  });

  test('a debt keeps a patron until it is written off', async () => {
    const patronId = await bench.created();
    expect(await bench.client.charge(patronId, 7, 'debit')).toMatchObject({ kind: 'made' });
    const balance = { attributes: false, balance: true };
    expect(await bench.client.findByCard(CARD, balance)).toMatchObject([{ accountBalance: 7 }]);
    expect(await bench.client.removePatron(patronId)).toMatchObject({ kind: 'refused', code: 'has_debt' });
    expect(await bench.client.charge(patronId, 7, 'write_off')).toMatchObject({ kind: 'made' });
    expect(await bench.client.removePatron(patronId)).toEqual({ kind: 'removed' });
    expect(await bench.client.removePatron(patronId)).toEqual({ kind: 'gone' });
  });

  test('everybody of a surname is found, whatever its case, and nobody else', async () => {
    const patronId = await bench.created({ surname: BOOK.toUpperCase() });
    bench.koha.putPatron('OTHER', { surname: `${BOOK}K` });
    const found = await bench.client.findBySurname(BOOK);
    expect(found.map((patron) => patron.patronId)).toEqual([patronId]);
    expect(found[0]?.attributes).toHaveLength(2);
  });

  test('a circulation rule of its own scope is set and removed, from 25.05 on', async () => {
    const scope = { branch: 'MAIN', category: 'PT', itemType: 'BK' };
    const stored = async () => (isFrom(release, '24.11') ? bench.client.storedRules('maxissueqty') : []);
    const before = await stored();
    const kind = isFrom(release, '25.05') ? 'set' : 'refused';
    expect(await bench.client.setRules(scope, { maxissueqty: '5', lengthunit: 'days' })).toMatchObject({
      kind,
    });
    const set = isFrom(release, '25.05') ? [{ ...scope, value: '5' }] : [];
    expect(await stored()).toEqual([...before, ...set]);
    expect(await bench.client.setRules(scope, { maxissueqty: null, lengthunit: null })).toMatchObject({
      kind,
    });
    expect(await stored()).toEqual(before);
    if (kind === 'refused') return;
    expect(await bench.client.setRules({ ...scope, category: 'NONE' }, { maxissueqty: '5' })).toEqual({
      kind: 'refused',
      status: 400,
      code: 'invalid_parameter_value',
    });
  });

  test('a Koha that lacks the route refuses it, and a permission that is missing is named', async () => {
    const patronId = await bench.created();
    const body = { errors: [{ message: 'Not Found.', path: '/' }], status: 404 };
    bench.koha.addFaults([
      { operation: 'POST /patrons/{patron_id}/account/debits', kind: 'status', status: 404, body },
    ]);
    expect(await bench.client.charge(patronId, 7, 'debit')).toEqual({
      kind: 'refused',
      status: 404,
      code: null,
    });
    bench.koha.putSettings({ permissions: servicePermissions });
    await expect(bench.client.makeBiblio(BOOK)).rejects.toMatchObject({
      code: 'permission',
      permission: 'editcatalogue: edit_catalogue',
    });
  });
});

test('the shape of an answer has types and names of columns, and nothing of what it says', async () => {
  const { startKohaDouble } = await import('@passport/koha-double');
  const { createKohaClient } = await import('../src/index.ts');
  const koha = await startKohaDouble({ library: 'riverside' });
  const shapes: AnswerShape[] = [];
  const client = createKohaClient({
    library: 'riverside',
    url: koha.url,
    ...koha.credentials,
    timeoutMs: 5_000,
    maxInFlight: 8,
    now: Date.now,
    onShape: (shape) => void shapes.push(shape),
  });
  try {
    koha.putPatron('SECRET-CARD', { surname: 'Secretname', city: null });
    await client.findByCard('SECRET-CARD', { attributes: true, balance: false });
    const shape = shapes.find(({ operation }) => operation === 'GET /patrons');
    expect(shape?.status).toBe(200);
    expect(shape?.parts).toMatchObject({
      '': 'array',
      '[]': 'object',
      '[].surname': 'string',
      '[].city': 'null',
      '[].restricted': 'boolean',
      '[].extended_attributes': 'array',
    });
    expect(JSON.stringify(shapes)).not.toMatch(/secret/i);
  } finally {
    client.close();
    await koha.close();
  }
});

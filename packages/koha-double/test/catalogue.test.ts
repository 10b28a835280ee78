import { expect, test } from '@jest/globals';
import { type Reply, type TestKoha, withKoha } from './support/with-koha.ts';

const permissions = ['catalogue:1', 'editcatalogue:edit_catalogue', 'circulate:1', 'borrowers:1'];
/** What the part of Koha's description that is at hand may lack. */
const undescribed = [
  'POST /biblios',
  'POST /biblios/{biblio_id}/items',
  'POST /items/{item_id}/bundled_items',
].flatMap((route) => [200, 201, 409].map((status) => `${route}: status ${status}: not described`));
const at = (run: (koha: TestKoha) => Promise<void>): Promise<void> =>
  withKoha(
    {
      acceptsUnfit: true,
      undescribed,
      settings: { permissions },
      now: () => Date.parse('2026-11-29T18:00:00Z'),
    },
    run,
  );

async function addItem(koha: TestKoha, external_id: string): Promise<Reply> {
  const headers = { 'content-type': 'application/marc-in-json' };
  const biblio = await koha.request('POST', '/api/v1/biblios', { body: { leader: '', fields: [] }, headers });
  const { id } = biblio.body as { readonly id: number };
  return koha.request('POST', `/api/v1/biblios/${id}/items`, { body: { external_id, item_type_id: 'BK' } });
}

test('a new item has the dates that Koha fills in', () =>
  at(async (koha) => {
    expect(await addItem(koha, '39999000000017')).toMatchObject({
      status: 201,
      body: {
        acquisition_date: '2026-11-29',
        replacement_price_date: '2026-11-29',
        last_seen_date: '2026-11-29T18:00:00+00:00',
      },
    });
  }));

test('a second item of a barcode is refused', () =>
  at(async (koha) => {
    await addItem(koha, '39999000000017');
    expect(await addItem(koha, '39999000000017')).toMatchObject({
      status: 409,
      body: { error: 'Duplicate barcode.', error_code: 'duplicate_barcode' },
    });
  }));

test('an item is in one bundle, once, and a refused one stays checked out', () =>
  at(async (koha) => {
    const [host, other] = ['39999000000017', '39999000000024'].map((barcode) => koha.putItem(barcode, {}));
    koha.putItem('39999000000031', {});
    const bundle = (item: typeof host) =>
      koha.request('POST', `/api/v1/items/${item?.item_id}/bundled_items`, {
        body: { external_id: '39999000000031', force_checkin: true },
      });
    expect(await bundle(host)).toMatchObject({ status: 201 });
    koha.putPatron('21234000000017', {});
    koha.putItem('39999000000031', { checked_out_to: '21234000000017' });
    for (const [item, key] of [
      [host, 'PRIMARY'],
      [other, 'item_bundles_uniq_1'],
    ] as const)
      expect(await bundle(item)).toMatchObject({
        status: 409,
        body: { error: 'Item is already bundled', error_code: 'already_bundled', key },
      });
    expect(koha.state().checkouts).toHaveLength(1);
  }));

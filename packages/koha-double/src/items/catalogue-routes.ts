import { crash, notFound, problem, type Answer } from '../answer.ts';
import { buildRoute, jsonBody, listParameters, type ApiCall, type Operation } from '../api/operation.ts';
import { reference } from '../api/schema.ts';
import { checkIn } from '../checkouts/check-in.ts';
import type { Double } from '../double.ts';
import { listAnswer } from '../query/list-answer.ts';
import { asText, isRecord } from '../record.ts';
import { newItem, renderItem } from './item-rows.ts';
import type { ItemRow } from './item-table.ts';

const cataloguing = { editcatalogue: 'edit_catalogue' };
const header = (name: string) => ({ name, in: 'header', type: 'string' }) as const;

/** The place of a biblio's title (`245 $a` of MARC 21) in MARC-in-JSON; null where there is none. */
function titleIn(record: unknown): string | null {
  const fields: readonly unknown[] =
    isRecord(record) && Array.isArray(record['fields']) ? record['fields'] : [];
  const title = fields.find((field) => isRecord(field) && '245' in field) as
    { readonly '245': { readonly subfields: readonly Readonly<Record<string, string>>[] } } | undefined;
  return title?.['245'].subfields.find((part) => 'a' in part)?.['a'] ?? null;
}

/** A record comes in a format of its own (`Koha/REST/V1/Biblios.pm`, `add`): as plain JSON it is a 406. */
const addBiblio = buildRoute(
  'POST',
  '/biblios',
  {
    parameters: [header('x-framework-id'), header('x-record-schema'), header('x-confirm-not-duplicate')],
    answers: { 200: null, 406: null },
    permissions: cataloguing,
  },
  ({ double: { db }, headers, json }) => {
    if (headers['content-type']?.includes('application/marc-in-json') !== true) {
      const formats = ['application/marcxml+xml', 'application/marc-in-json', 'application/marc'];
      return { status: 406, body: formats };
    }
    const biblio_id = db.biblios.takeId();
    db.biblios.put({ biblio_id, title: titleIn(json) });
    return { status: 200, body: { id: biblio_id } };
  },
);

const listBiblios = buildRoute(
  'GET',
  '/biblios',
  { parameters: listParameters, answers: { 200: null }, permissions: { catalogue: '1' } },
  (call) => {
    const { biblios } = call.double.db;
    const source = {
      rows: () => biblios.rows(),
      column: (name: string) => (name === 'biblionumber' ? 'biblio_id' : name),
      read: (row: object, column: string): unknown => Reflect.get(row, column),
    };
    const plain = { author: null, framework_id: '', notes: null, serial: null, subtitle: null };
    return listAnswer(call, source, [], (row) => ({ ...plain, ...row }));
  },
);

/** `C4/Biblio.pm`, `DelBiblio`: not with items. */
const deleteBiblio = buildRoute(
  'DELETE',
  '/biblios/{biblio_id}',
  { answers: { 204: null }, permissions: cataloguing },
  ({ double: { db }, path, release }) => {
    const id = Number(path['biblio_id']);
    if (db.biblios.get(id) === undefined) return notFound(release, 'Bibliographic record');
    if ([...db.items.rows()].some(({ columns }) => columns.biblio_id === id))
      return problem(
        409,
        'This Biblio has items attached, please delete them first before deleting this biblio ',
      );
    db.biblios.delete(id);
    return { status: 204 };
  },
);

/** What `Koha/Item.pm`, `store`, fills in of a new item. */
const datesOf = ({ clock }: Double) => ({
  acquisition_date: clock.today(),
  replacement_price_date: clock.today(),
  last_seen_date: clock.timestamp(),
});

/** A branch that is not there is an error of the database, which nothing foresees. */
const addItem = buildRoute(
  'POST',
  '/biblios/{biblio_id}/items',
  {
    parameters: [jsonBody(reference('item'))],
    answers: { 201: reference('item') },
    permissions: cataloguing,
  },
  ({ double, path, body, release }) => {
    const { db } = double;
    const biblio_id = Number(path['biblio_id']);
    if (db.biblios.get(biblio_id) === undefined) return notFound(release, 'Bibliographic record');
    const given = isRecord(body) ? body : {};
    const barcode = typeof given['external_id'] === 'string' ? given['external_id'] : null;
    if (barcode !== null && db.items.withBarcode(barcode) !== undefined)
      return problem(409, 'Duplicate barcode.', { error_code: 'duplicate_barcode' });
    const isBranch = (code: unknown): boolean => code === undefined || db.libraries.has(asText(code));
    if (!isBranch(given['home_library_id']) || !isBranch(given['holding_library_id'])) return crash();
    const made = newItem(double, barcode);
    const row: ItemRow = {
      ...made,
      columns: { ...made.columns, ...datesOf(double), ...given, biblio_id, item_id: made.item_id },
    };
    db.items.put(row);
    const headers = { Location: `/api/v1/biblios/${row.item_id}` };
    return { status: 201, body: renderItem(double, row), headers };
  },
);

const itemOf = ({ double: { db }, path }: ApiCall): ItemRow | undefined =>
  db.items.get(Number(path['item_id']));

const deleteItem = buildRoute(
  'DELETE',
  '/items/{item_id}',
  { answers: { 204: null }, permissions: cataloguing },
  (call) => {
    const { db } = call.double;
    const item = itemOf(call);
    if (item === undefined) return notFound(call.release, 'Item');
    if (db.checkouts.ofItem(item.item_id) !== undefined)
      return problem(409, 'The item is checked out', { error_code: 'checked_out' });
    db.items.delete(item.item_id);
    return { status: 204 };
  },
);

/** `Koha/Item.pm`, `add_to_bundle`: with `force_checkin` the item is checked in first, in the transaction that a duplicate ends. */
const addToBundle = buildRoute(
  'POST',
  '/items/{item_id}/bundled_items',
  {
    parameters: [jsonBody(reference('bundle_link'))],
    answers: { 201: null },
    permissions: { catalogue: '1' },
  },
  (call): Answer => {
    const { double, body } = call;
    const host = itemOf(call);
    const { external_id: barcode, force_checkin: isForced } = isRecord(body) ? body : {};
    const item = double.db.items.withBarcode(String(barcode));
    if (host === undefined) return notFound(call.release, 'Item');
    if (item === undefined) return notFound(call.release, 'Bundle item');
    if (host === item) return problem(400, 'Bundles cannot be nested', { error_code: 'failed_nesting' });
    if (double.db.checkouts.ofItem(item.item_id) !== undefined && isForced !== true)
      return problem(409, 'Item is checked out', { error_code: 'checked_out' });
    const { bundle_host: bundledIn } = item.hidden;
    if (bundledIn !== undefined) {
      // the index of the table `item_bundles` that refuses the second row
      const key = bundledIn === host.item_id ? 'PRIMARY' : 'item_bundles_uniq_1';
      return problem(409, 'Item is already bundled', { error_code: 'already_bundled', key });
    }
    checkIn(double, item, call.actingLibrary);
    const returned = double.db.items.get(item.item_id) ?? item;
    double.db.items.put({ ...returned, hidden: { ...returned.hidden, bundle_host: host.item_id } });
    return { status: 201, body: renderItem(double, returned) };
  },
);

const removeFromBundle = buildRoute(
  'DELETE',
  '/items/{item_id}/bundled_items/{bundled_item_id}',
  { answers: { 204: null }, permissions: { catalogue: '1' } },
  ({ double: { db }, path, release }) => {
    const item = db.items.get(Number(path['bundled_item_id']));
    if (item === undefined) return notFound(release, 'Bundle item');
    const { bundle_host: _host, ...hidden } = item.hidden;
    db.items.put({ ...item, hidden });
    return { status: 204 };
  },
);

/** What Koha's API has to catalogue with, for whoever tries things at a Koha; every release shown has it. */
export const catalogueRoutes: readonly Operation[] = [
  addBiblio,
  listBiblios,
  deleteBiblio,
  addItem,
  deleteItem,
  addToBundle,
  removeFromBundle,
];

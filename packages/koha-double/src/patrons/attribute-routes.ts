import { notFound, ok, type Answer } from '../answer.ts';
import { buildRoute, jsonBody, type ApiCall, type Operation } from '../api/operation.ts';
import { listOf, reference } from '../api/schema.ts';
import { isRecord } from '../record.ts';
import {
  attributeAnswer,
  attributeFault,
  attributeValueOf,
  newAttribute,
  ownerOf,
  setAttributes,
  setterFault,
  type AttributeFault,
} from './attributes.ts';
import type { AttributeRow, PatronRow } from './patron-table.ts';
import { orderedAttributes } from './read-patron.ts';
import { leaveGap } from './write-patron.ts';

const attribute = reference('patron_extended_attribute');
const path = '/patrons/{patron_id}/extended_attributes';
const onePath = `${path}/{extended_attribute_id}`;
const permissions = { borrowers: 'edit_borrowers' };

const patronOf = ({ double, path: { patron_id: id } }: ApiCall): PatronRow | undefined =>
  double.db.patrons.get(Number(id));

/** A changed attribute also moves the patron's `updated_on`. */
function save({ double }: ApiCall, row: PatronRow, attributes: readonly AttributeRow[]): void {
  const updated_on = double.clock.timestamp();
  double.db.patrons.put({ ...row, attributes, columns: { ...row.columns, updated_on } });
}

/** Writes what `change` makes of the attributes that are there then, unless there is a fault, and answers with it. */
async function write<Changed>(
  call: ApiCall,
  row: PatronRow,
  fault: AttributeFault | null,
  change: (current: PatronRow) => { readonly rows: readonly AttributeRow[]; readonly changed: Changed },
): Promise<Answer | { readonly changed: Changed }> {
  if (fault !== null) return attributeAnswer(call.double, fault, 'own route');
  await leaveGap(call.double);
  const current = patronOf(call) ?? row;
  const { rows, changed } = change(current);
  save(call, current, rows);
  return { changed };
}

const add = buildRoute(
  'POST',
  path,
  { parameters: [jsonBody(attribute)], answers: { 201: attribute }, permissions },
  async (call): Promise<Answer> => {
    const row = patronOf(call);
    if (row === undefined) return notFound(call.release, 'Patron');
    const value = attributeValueOf(call.body);
    const fault = attributeFault(call.double, row.patron_id, [value], row.attributes);
    const written = await write(call, row, fault, ({ attributes }) => {
      const added = newAttribute(call.double, value);
      return { rows: [...attributes, added], changed: added };
    });
    if (!('changed' in written)) return written;
    const { changed } = written;
    const location = `/api/v1/patrons/${row.patron_id}/extended_attributes/${changed.extended_attribute_id}`;
    return { status: 201, body: changed, headers: { Location: location } };
  },
);

const overwrite = buildRoute(
  'PUT',
  path,
  { parameters: [jsonBody(listOf(attribute))], answers: { 200: listOf(attribute) }, permissions },
  async (call): Promise<Answer> => {
    const row = patronOf(call);
    if (row === undefined) return notFound(call.release, 'Patron');
    const values = Array.isArray(call.body) ? call.body.map(attributeValueOf) : [];
    const fault = setterFault(call.double, ownerOf(row), values);
    const written = await write(call, row, fault, (current) => {
      const rows = setAttributes(call.double, ownerOf(current), values);
      return { rows, changed: { ...current, attributes: rows } };
    });
    return 'changed' in written ? ok(orderedAttributes(call.release, written.changed)) : written;
  },
);

const valueOnly = { type: 'object', properties: { value: { type: 'string' } }, additionalProperties: false };

const change = buildRoute(
  'PATCH',
  onePath,
  { parameters: [jsonBody(valueOnly)], answers: { 200: attribute }, permissions },
  (call) =>
    withAttribute(call, async (row, before) => {
      const { value: sent } = isRecord(call.body) ? call.body : {};
      const value = typeof sent === 'string' ? sent : before.value;
      const changed: AttributeRow = { ...before, value };
      const fault = attributeFault(call.double, row.patron_id, [{ type: before.type, value }]);
      const isBefore = (one: AttributeRow): boolean =>
        one.extended_attribute_id === before.extended_attribute_id;
      const written = await write(call, row, fault, ({ attributes }) => ({
        rows: attributes.map((one) => (isBefore(one) ? changed : one)),
        changed,
      }));
      return 'changed' in written ? ok(changed) : written;
    }),
);

const remove = buildRoute('DELETE', onePath, { answers: { 204: null }, permissions }, (call) =>
  withAttribute(call, (row, found) => {
    save(
      call,
      row,
      row.attributes.filter((one) => one !== found),
    );
    return { status: 204 };
  }),
);

function withAttribute(
  call: ApiCall,
  work: (row: PatronRow, found: AttributeRow) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const row = patronOf(call);
  if (row === undefined) return notFound(call.release, 'Patron');
  const id = call.path['extended_attribute_id'];
  const found = row.attributes.find((one) => one.extended_attribute_id === id);
  return found === undefined ? notFound(call.release, 'Attribute') : work(row, found);
}

export const attributeRoutes: readonly Operation[] = [add, overwrite, change, remove];

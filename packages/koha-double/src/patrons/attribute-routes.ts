import { notFound, ok, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { jsonBody, listParameters, pathId, withErrors } from '../api/parameters.ts';
import { reference } from '../json-schema.ts';
import { everything } from '../query/condition.ts';
import { listAnswer } from '../query/list-answer.ts';
import type { Source } from '../query/source.ts';
import { isRecord } from '../record.ts';
import { attributeRouteAnswer } from './attribute-answers.ts';
import { attributeFault, type AttributeValue } from './attribute-check.ts';
import { leaveGap } from './create-patron.ts';
import type { AttributeRow, PatronRow } from './patron-row.ts';
import { orderedAttributes } from './render-patron.ts';
import { newAttribute, setAttributes, setterFault, type AttributeOwner } from './set-attributes.ts';

const attribute = reference('patron_extended_attribute');
const path = '/patrons/{patron_id}/extended_attributes';
const onePath = `${path}/{extended_attribute_id}`;
const permissions = { borrowers: 'edit_borrowers' };

function patronOf(call: ApiCall): PatronRow | undefined {
  return call.double.db.patrons.get(Number(call.path['patron_id']));
}

function ownerOf(row: PatronRow): AttributeOwner {
  return { patronId: row.patron_id, categoryId: row.columns.category_id, attributes: row.attributes };
}

/** A changed attribute also moves the patron's `updated_on`. */
function save(call: ApiCall, row: PatronRow, attributes: readonly AttributeRow[]): void {
  const updated_on = call.double.clock.timestamp();
  call.double.db.patrons.put({ ...row, attributes, columns: { ...row.columns, updated_on } });
}

function bodyValue(value: unknown): AttributeValue {
  const body = isRecord(value) ? value : {};
  return { type: String(body['type']), value: typeof body['value'] === 'string' ? body['value'] : null };
}

const names = new Map([
  ['extended_attribute_id', 'extended_attribute_id'],
  ['id', 'extended_attribute_id'],
  ['type', 'type'],
  ['code', 'type'],
  ['value', 'value'],
  ['attribute', 'value'],
] as const);

function sourceOf(rows: readonly AttributeRow[]): Source<AttributeRow> {
  return {
    rows: () => rows,
    count: () => rows.length,
    column: (name) => names.get(name as 'id'),
    read: (row, column) => row[column as keyof AttributeRow],
  };
}

const list: Operation = {
  method: 'GET',
  path,
  spec: () => ({
    parameters: [pathId('patron_id'), ...listParameters],
    responses: withErrors({ '200': { type: 'array', items: attribute } }, 404),
    permissions,
  }),
  handle: (call) => {
    const row = patronOf(call);
    if (row === undefined) return notFound(call.release, 'Patron');
    return listAnswer(call, sourceOf(orderedAttributes(call.release, row)), everything, (one) => ({
      ...one,
    }));
  },
};

const add: Operation = {
  method: 'POST',
  path,
  spec: () => ({
    parameters: [pathId('patron_id'), jsonBody(attribute)],
    responses: withErrors({ '201': attribute }, 404, 409),
    permissions,
  }),
  handle: async (call): Promise<Answer> => {
    const row = patronOf(call);
    if (row === undefined) return notFound(call.release, 'Patron');
    const value = bodyValue(call.body);
    const fault = attributeFault(call.double, row.patron_id, [value], row.attributes);
    if (fault !== null) return attributeRouteAnswer(fault);
    await leaveGap(call.double);
    const current = patronOf(call) ?? row;
    const added = newAttribute(call.double, value);
    save(call, current, [...current.attributes, added]);
    const location = `/api/v1/patrons/${row.patron_id}/extended_attributes/${added.extended_attribute_id}`;
    return { status: 201, body: added, headers: { Location: location } };
  },
};

const overwrite: Operation = {
  method: 'PUT',
  path,
  spec: () => ({
    parameters: [pathId('patron_id'), jsonBody({ type: 'array', items: attribute })],
    responses: withErrors({ '200': { type: 'array', items: attribute } }, 404, 409),
    permissions,
  }),
  handle: async (call): Promise<Answer> => {
    const row = patronOf(call);
    if (row === undefined) return notFound(call.release, 'Patron');
    const values = Array.isArray(call.body) ? call.body.map(bodyValue) : [];
    const fault = setterFault(call.double, ownerOf(row), values);
    if (fault !== null) return attributeRouteAnswer(fault);
    await leaveGap(call.double);
    const current = patronOf(call) ?? row;
    const stored = setAttributes(call.double, ownerOf(current), values);
    save(call, current, stored);
    return ok(orderedAttributes(call.release, { ...current, attributes: stored }));
  },
};

const change: Operation = {
  method: 'PATCH',
  path: onePath,
  spec: () => ({
    parameters: [
      pathId('patron_id'),
      pathId('extended_attribute_id'),
      jsonBody({ type: 'object', properties: { value: { type: 'string' } }, additionalProperties: false }),
    ],
    responses: withErrors({ '200': attribute }, 404, 409),
    permissions,
  }),
  handle: async (call): Promise<Answer> => {
    const row = patronOf(call);
    if (row === undefined) return notFound(call.release, 'Patron');
    const before = attributeOf(call, row);
    if (before === undefined) return notFound(call.release, 'Attribute');
    const body = isRecord(call.body) ? call.body : {};
    const value = typeof body['value'] === 'string' ? body['value'] : before.value;
    const fault = attributeFault(call.double, row.patron_id, [{ type: before.type, value }]);
    if (fault !== null) return attributeRouteAnswer(fault);
    await leaveGap(call.double);
    const changed: AttributeRow = { ...before, value };
    const current = patronOf(call) ?? row;
    const attributes = current.attributes.map((one) =>
      one.extended_attribute_id === before.extended_attribute_id ? changed : one,
    );
    save(call, current, attributes);
    return ok(changed);
  },
};

const remove: Operation = {
  method: 'DELETE',
  path: onePath,
  spec: () => ({
    parameters: [pathId('patron_id'), pathId('extended_attribute_id')],
    responses: withErrors({ '204': null }, 404),
    permissions,
  }),
  handle: (call) => {
    const row = patronOf(call);
    if (row === undefined) return notFound(call.release, 'Patron');
    const found = attributeOf(call, row);
    if (found === undefined) return notFound(call.release, 'Attribute');
    save(
      call,
      row,
      row.attributes.filter((one) => one !== found),
    );
    return { status: 204 };
  },
};

function attributeOf(call: ApiCall, row: PatronRow): AttributeRow | undefined {
  return row.attributes.find((one) => one.extended_attribute_id === call.path['extended_attribute_id']);
}

export const attributeRoutes: readonly Operation[] = [list, add, overwrite, change, remove];

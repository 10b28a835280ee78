import { crash, notFound, ok, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { hasPermission } from '../auth/permissions.ts';
import { collate } from '../collation.ts';
import { inlineAttributeAnswer } from './attribute-answers.ts';
import { attributeFault, missingMandatory, type AttributeValue } from './attribute-check.ts';
import { cardTaken, leaveGap } from './create-patron.ts';
import { isAnswer, overflowsColumn, readPatronBody, type PatronBody } from './patron-body.ts';
import type { PatronColumns, PatronRow } from './patron-row.ts';
import { renderPatron } from './render-patron.ts';

/** `PUT /patrons/{patron_id}`: writes the keys that are there, replaces the whole attribute set if it is named. */
export async function updatePatron(call: ApiCall): Promise<Answer> {
  const { double, release } = call;
  const id = Number(call.path['patron_id']);
  const before = double.db.patrons.get(id);
  if (before === undefined) return notFound(release, 'Patron');
  const body = readPatronBody(double, call.body);
  if (isAnswer(body)) return body;
  const refused = refuseColumns(call, before, body);
  if (refused !== null) return refused;
  const columns: PatronColumns = { ...before.columns, ...body.columns };
  if (overflowsColumn(body.columns)) return crash();
  const card = columns.cardnumber;
  if (card === null || card === before.columns.cardnumber) return write(call, before, columns, body);
  const free = await double.db.reservations.take(card);
  try {
    const owner = double.db.patrons.withCard(card);
    if (owner !== undefined && owner.patron_id !== id) return cardTaken(double);
    return await write(call, before, columns, body);
  } finally {
    free();
  }
}

function refuseColumns(call: ApiCall, before: PatronRow, body: PatronBody): Answer | null {
  const { categories, patrons } = call.double.db;
  const { columns } = body;
  if (changesSuperlibrarianMail(call, before, columns)) {
    return problem(403, "Not enough privileges to change a superlibrarian's email");
  }
  if (!categories.has(String(columns['category_id'])))
    return problem(400, 'Given category_id does not exist');
  const { userid } = columns;
  if (typeof userid === 'string' && userid !== '') {
    const owner = patrons.withUserid(userid);
    if (owner !== undefined && owner.patron_id !== before.patron_id)
      return problem(400, 'Problem with USERID');
  }
  return null;
}

async function write(
  call: ApiCall,
  before: PatronRow,
  columns: PatronColumns,
  body: PatronBody,
): Promise<Answer> {
  const { double, release } = call;
  const { patrons, libraries } = double.db;
  if (!libraries.has(columns.library_id)) return problem(400, 'Given library_id does not exist');
  const { attributes } = body;
  if (attributes !== null) {
    const fault =
      attributeFault(double, before.patron_id, attributes) ??
      missingMandatory(double, columns.category_id, attributes);
    if (fault !== null) return inlineAttributeAnswer(fault, release);
    await leaveGap(double);
  } else if (double.settings.no_change_is_204 && !isChanged(before.columns, body.columns)) {
    return { status: 204 };
  }
  if (columns.patron_id !== before.patron_id) {
    // The key column is written like any other: the row moves, or hits the primary key of another.
    if (patrons.get(columns.patron_id) !== undefined)
      return problem(409, 'Duplicate ID', { conflict: 'PRIMARY' });
    patrons.delete(before.patron_id);
  }
  const current = patrons.get(before.patron_id) ?? before;
  const row: PatronRow = {
    ...current,
    patron_id: columns.patron_id,
    columns: { ...current.columns, ...body.columns, updated_on: double.clock.timestamp() },
    attributes: attributes === null ? current.attributes : withIds(call, attributes),
  };
  patrons.put(row);
  return ok(renderPatron(call, row));
}

function withIds(call: ApiCall, attributes: readonly AttributeValue[]): PatronRow['attributes'] {
  return attributes.map(({ type, value }) => ({
    extended_attribute_id: call.double.db.patrons.takeAttributeId(),
    type,
    value,
  }));
}

function isChanged(before: PatronColumns, given: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(given).some(([name, value]) => before[name] !== value);
}

function changesSuperlibrarianMail(
  call: ApiCall,
  before: PatronRow,
  columns: Readonly<Record<string, unknown>>,
): boolean {
  if (!before.permissions.has('superlibrarian')) return false;
  if (hasPermission(call.user.permissions, 'superlibrarian', '1')) return false;
  return ['email', 'secondary_email', 'altaddress_email'].some(
    (name) => Object.hasOwn(columns, name) && !isSameText(columns[name], before.columns[name]),
  );
}

function isSameText(a: unknown, b: unknown): boolean {
  return collate(typeof a === 'string' ? a : '') === collate(typeof b === 'string' ? b : '');
}

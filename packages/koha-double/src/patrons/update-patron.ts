import { crash, notFound, ok, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { hasPermission } from '../auth/permissions.ts';
import { isFrom } from '../release.ts';
import { inlineAttributeAnswer } from './attribute-answers.ts';
import { cardTaken, leaveGap } from './create-patron.ts';
import { cutColumns } from './cut-text.ts';
import { isAnswer, overflowsColumn, readPatronBody, type PatronBody } from './patron-body.ts';
import type { PatronColumns, PatronRow } from './patron-row.ts';
import { renderPatron } from './render-patron.ts';
import { setAttributes, setterFault, type AttributeOwner } from './set-attributes.ts';
import { transformCard } from './transform-card.ts';
import { generateUserid } from './userid.ts';

/**
 * `PUT /patrons/{patron_id}` (`Koha/REST/V1/Patrons.pm`, `update`), in Koha's order: attributes, if they are named,
 * replace the whole set and are held against the category of before; then the keys that are there are written. On
 * 23.11 named attributes end in a 500.
 */
export async function updatePatron(call: ApiCall): Promise<Answer> {
  const { double, release } = call;
  const id = Number(call.path['patron_id']);
  const before = double.db.patrons.get(id);
  if (before === undefined) return notFound(release, 'Patron');
  const body = readPatronBody(double, 'PUT', call.body);
  const refused = refuseMail(call, before) ?? refuseAttributes(call, before, body);
  if (refused !== null) return refused;
  if (isAnswer(body)) return body;
  const refusedColumns = refuseColumns(call, before, body);
  if (refusedColumns !== null) return refusedColumns;
  const given = columnsToWrite(call, before, body);
  if (given === null) return crash();
  const card = { ...before.columns, ...given }.cardnumber;
  if (card === null || card === before.columns.cardnumber) return write(call, before, given, body);
  const free = await double.db.reservations.take(card);
  try {
    const owner = double.db.patrons.withCard(card);
    if (owner !== undefined && owner.patron_id !== id) return cardTaken(double);
    return await write(call, before, given, body);
  } finally {
    free();
  }
}

function refuseAttributes(call: ApiCall, before: PatronRow, body: PatronBody | Answer): Answer | null {
  if (isAnswer(body) || body.attributes === null) return null;
  if (!isFrom(call.release, '24.05')) return crash();
  const fault = setterFault(call.double, ownerOf(before), body.attributes);
  return fault === null ? null : inlineAttributeAnswer(fault, call.release);
}

function refuseColumns({ double }: ApiCall, before: PatronRow, { columns }: PatronBody): Answer | null {
  const { categories, patrons, libraries } = double.db;
  if (!categories.has(String(columns['category_id'])))
    return problem(400, 'Given category_id does not exist');
  const { userid } = columns;
  if (typeof userid === 'string' && userid !== '') {
    const owner = patrons.withUserid(userid);
    if (owner !== undefined && owner.patron_id !== before.patron_id)
      return problem(400, `Problem with ${userid}`);
  }
  return libraries.has(String(columns['library_id']))
    ? null
    : problem(400, 'Given library_id does not exist');
}

/** Null: the database takes no text of that length. */
function columnsToWrite(
  { double }: ApiCall,
  before: PatronRow,
  { columns }: PatronBody,
): Partial<PatronColumns> | null {
  const { strict_sql_modes } = double.settings;
  if (strict_sql_modes && overflowsColumn(columns)) return null;
  const { userid, cardnumber } = { ...before.columns, ...columns };
  const card = cardnumber === null ? {} : { cardnumber: transformCard(double, cardnumber) };
  const login =
    userid === null || userid === ''
      ? { userid: generateUserid(double, { ...before.columns, ...columns }) }
      : {};
  return cutColumns({ ...columns, ...card, ...login });
}

async function write(
  call: ApiCall,
  before: PatronRow,
  given: Partial<PatronColumns>,
  body: PatronBody,
): Promise<Answer> {
  const { double } = call;
  const { patrons } = double.db;
  const { attributes } = body;
  if (attributes !== null) await leaveGap(double);
  else if (double.settings.no_change_is_204 && !isChanged(before.columns, given)) return { status: 204 };
  const patron_id = given.patron_id ?? before.patron_id;
  if (patron_id !== before.patron_id) {
    // The key column is written like any other: the row moves, or hits the primary key of another.
    if (patrons.get(patron_id) !== undefined) return problem(409, 'Duplicate ID', { conflict: 'PRIMARY' });
    patrons.delete(before.patron_id);
  }
  const current = patrons.get(before.patron_id) ?? before;
  const row: PatronRow = {
    ...current,
    patron_id,
    columns: { ...current.columns, ...given, updated_on: double.clock.timestamp() },
    attributes:
      attributes === null ? current.attributes : setAttributes(double, ownerOf(current), attributes),
  };
  patrons.put(row);
  return ok(renderPatron(call, row));
}

function ownerOf(row: PatronRow): AttributeOwner {
  return { patronId: row.patron_id, categoryId: row.columns.category_id, attributes: row.attributes };
}

function isChanged(before: PatronColumns, given: Partial<PatronColumns>): boolean {
  return Object.entries(given).some(([name, value]) => before[name] !== value);
}

/** Only the very same text passes, case and all. */
function refuseMail(call: ApiCall, before: PatronRow): Answer | null {
  if (!before.permissions.has('superlibrarian')) return null;
  if (hasPermission(call.user.permissions, 'superlibrarian', '1')) return null;
  const body = call.body as Readonly<Record<string, unknown>>;
  const changes = ['email', 'secondary_email', 'altaddress_email'].some(
    (name) => Object.hasOwn(body, name) && (body[name] ?? null) !== (before.columns[name] ?? null),
  );
  return changes ? problem(403, "Not enough privileges to change a superlibrarian's email") : null;
}

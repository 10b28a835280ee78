import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises';
import { crash, notFound, ok, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { hasPermission } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';
import type { CategoryRow } from '../setup/setup-rows.ts';
import {
  attributeAnswer,
  newAttribute,
  ownerOf,
  setAttributes,
  setterFault,
  type AttributeValue,
} from './attributes.ts';
import {
  generateUserid,
  hasPossibleDuplicate,
  isAnswer,
  newPatronColumns,
  readPatronBody,
  storableColumns,
  transformCard,
  type PatronBody,
} from './patron-columns.ts';
import type { PatronColumns, PatronRow } from './patron-table.ts';
import { renderPatron } from './read-patron.ts';

const mails = ['email', 'secondary_email', 'altaddress_email'] as const;
const noSuch = (what: string): Answer => problem(400, `Given ${what} does not exist`);

/** `POST /patrons`, in Koha's order: possible duplicate, category, userid, card, library, attributes, commit. */
export async function createPatron(call: ApiCall): Promise<Answer> {
  const { double, release } = call;
  const body = readPatronBody('POST', call.body);
  if (isAnswer(body)) return body;
  const isConfirmed = !['', '0'].includes(call.headers['x-confirm-not-duplicate'] ?? '');
  if (isFrom(release, '25.11') && !isConfirmed && hasPossibleDuplicate(double, body.columns)) {
    return problem(409, 'A patron record matching these details already exists');
  }
  const category = double.db.categories.get(String(body.columns['category_id']));
  if (category === undefined) return noSuch('category_id');
  if (needsGuarantor(double, category)) return crash();
  const { userid } = body.columns;
  if (ownerOfUserid(double, userid) !== undefined) return problem(400, `Problem with ${String(userid)}`);
  const filled = newPatronColumns(double, double.db.patrons.takeId(), body.columns, category);
  const columns = storableColumns(double, filled) as PatronColumns | null;
  if (columns === null) return crash();
  return withCard(double, columns.cardnumber, null, () =>
    store(call, columns, category, body.attributes ?? []),
  );
}

/**
 * Works while nobody else writes the card; the patron `id` may have it already. The database lets a second insert wait for the first
 * to end, and only then says whether it is a duplicate.
 */
async function withCard(
  { db, settings }: Double,
  card: string | null,
  id: number | null,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (card === null) return work();
  const free = await db.reservations.take(card);
  try {
    const owner = db.patrons.withCard(card);
    if (owner === undefined || owner.patron_id === id) return await work();
    return problem(409, 'Duplicate ID', { conflict: settings.card_conflict });
  } finally {
    free();
  }
}

async function store(
  call: ApiCall,
  columns: PatronColumns,
  category: CategoryRow,
  attributes: readonly AttributeValue[],
): Promise<Answer> {
  const { double, release } = call;
  const { db } = double;
  if (!db.libraries.has(columns.library_id)) return noSuch('library_id');
  // Until 25.05 the welcome mail leaves before the attributes are looked at, and a rollback does not fetch it back.
  const mailsFirst = !isFrom(release, '25.11');
  if (mailsFirst) welcome(call, columns);
  const gaps = double.settings.deadlocks && attributes.length > 0 ? db.attributeGaps : null;
  await gaps?.pause('store');
  const gap = gaps?.open();
  try {
    const owner = { patronId: null, categoryId: columns.category_id, attributes: [] };
    const fault = setterFault(double, owner, attributes);
    if (fault !== null) return attributeAnswer(double, fault, 'inline');
    await gaps?.pause('check');
    await leaveGap(double);
    if ((await gap?.insert()) === false) return crash();
    await gaps?.pause('commit');
    if (ownerOfUserid(double, columns.userid) !== undefined) {
      return problem(409, 'Duplicate ID', { conflict: 'userid' });
    }
    const row = buildRow(double, columns, category, attributes);
    db.patrons.put(row);
    if (!mailsFirst) welcome(call, columns);
    const location = `/api/v1/patrons/${row.patron_id}`;
    return { status: 201, body: renderPatron(call, row), headers: { Location: location } };
  } finally {
    gap?.release();
  }
}

function buildRow(
  double: Double,
  columns: PatronColumns,
  category: CategoryRow,
  attributes: readonly AttributeValue[],
): PatronRow {
  const fee = category.enrolment_fee ?? 0;
  if (fee > 0) double.db.fees += 1;
  return {
    patron_id: columns.patron_id,
    columns,
    hidden: { password: '!' },
    attributes: attributes.map((one) => newAttribute(double, one)),
    account_balance: fee,
    permissions: new Set(),
    api_keys: [],
  };
}

/** Unique values are counted, then stored: nothing is locked in between, so two creates can both pass. */
export async function leaveGap(double: Double): Promise<void> {
  if (double.settings.unique_gap_ms > 0) await sleep(double.settings.unique_gap_ms);
  else await nextTick();
}

/** The patron's mail and, from 26.05 on, that to the library (`Koha/REST/V1/Patrons.pm`, `add`), unless the request says otherwise. */
function welcome({ double, overrides, release }: ApiCall, columns: PatronColumns): void {
  const { AutoEmailNewUser: toPatron, EmailPatronRegistrations: toLibrary } = double.settings.preferences;
  const isSent = (name: string, isWanted: boolean): boolean =>
    overrides.includes(`${name}_yes`) || (isWanted && !overrides.includes(`${name}_no`));
  const hasAddress = mails.some((name) => (columns[name] ?? '') !== '');
  if (hasAddress && isSent('welcome', toPatron === '1')) double.db.mails += 1;
  if (isFrom(release, '26.05') && isSent('opac_reg', !['', '0'].includes(toLibrary))) double.db.mails += 1;
}

function ownerOfUserid({ db }: Double, userid: unknown): PatronRow | undefined {
  return typeof userid === 'string' && userid !== '' ? db.patrons.first('userid', userid) : undefined;
}

/** Guarantors cannot be sent through the API, so under this preference a child cannot be created at all. */
function needsGuarantor({ settings }: Double, category: CategoryRow): boolean {
  const isChild = category.category_type === 'C' || category.can_be_guarantee;
  const isEnforced = settings.preferences.ChildNeedsGuarantor === '1';
  return isEnforced && isChild && !isFrom(settings.release, '25.11');
}

/**
 * `PUT /patrons/{patron_id}` (`Koha/REST/V1/Patrons.pm`, `update`), in Koha's order: attributes, if they are named,
 * replace the whole set and are held against the category of before; then the keys that are there are written. On
 * 23.11 named attributes end in a 500.
 */
export async function updatePatron(call: ApiCall): Promise<Answer> {
  const { double, release } = call;
  const before = double.db.patrons.get(Number(call.path['patron_id']));
  if (before === undefined) return notFound(release, 'Patron');
  const body = readPatronBody('PUT', call.body);
  const refusedMail = refuseMail(call, before);
  if (refusedMail !== null) return refusedMail;
  if (isAnswer(body)) return body;
  const refused = refuseAttributes(call, before, body) ?? refuseColumns(call, before, body);
  if (refused !== null) return refused;
  const given = columnsToWrite(double, before, body);
  if (given === null) return crash();
  const { cardnumber: card } = { ...before.columns, ...given };
  const isSame = card === before.columns.cardnumber;
  return withCard(double, isSame ? null : card, before.patron_id, () => write(call, before, given, body));
}

function refuseAttributes(call: ApiCall, before: PatronRow, { attributes }: PatronBody): Answer | null {
  if (attributes === null) return null;
  if (!isFrom(call.release, '24.05')) return crash();
  const fault = setterFault(call.double, ownerOf(before), attributes);
  return fault === null ? null : attributeAnswer(call.double, fault, 'inline');
}

function refuseColumns({ double }: ApiCall, before: PatronRow, { columns }: PatronBody): Answer | null {
  const { categories, libraries } = double.db;
  const { userid, category_id: category, library_id: library } = columns;
  if (!categories.has(String(category))) return noSuch('category_id');
  const owner = ownerOfUserid(double, userid);
  if (owner !== undefined && owner.patron_id !== before.patron_id) {
    return problem(400, `Problem with ${String(userid)}`);
  }
  return libraries.has(String(library)) ? null : noSuch('library_id');
}

/** Null: the database takes no text of that length. */
function columnsToWrite(
  double: Double,
  before: PatronRow,
  { columns }: PatronBody,
): Partial<PatronColumns> | null {
  const after = { ...before.columns, ...columns };
  const { userid, cardnumber } = after;
  return storableColumns(double, {
    ...columns,
    ...(cardnumber === null ? {} : { cardnumber: transformCard(double, cardnumber) }),
    ...(userid === null || userid === '' ? { userid: generateUserid(double, after) } : {}),
  });
}

async function write(
  call: ApiCall,
  before: PatronRow,
  given: Partial<PatronColumns>,
  { attributes }: PatronBody,
): Promise<Answer> {
  const { double } = call;
  const { patrons } = double.db;
  if (attributes !== null) await leaveGap(double);
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

/** Only the very same text passes, case and all. */
function refuseMail(call: ApiCall, before: PatronRow): Answer | null {
  if (!before.permissions.has('superlibrarian')) return null;
  if (hasPermission(call.user.permissions, 'superlibrarian', '1')) return null;
  const body = call.body as Readonly<Record<string, unknown>>;
  const changes = mails.some(
    (name) => Object.hasOwn(body, name) && (body[name] ?? null) !== (before.columns[name] ?? null),
  );
  return changes ? problem(403, "Not enough privileges to change a superlibrarian's email") : null;
}

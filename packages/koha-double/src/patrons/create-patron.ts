import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises';
import { crash, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';
import type { CategoryRow } from '../setup/setup-rows.ts';
import { inlineAttributeAnswer } from './attribute-answers.ts';
import type { AttributeValue } from './attribute-check.ts';
import { cutColumns } from './cut-text.ts';
import { hasPossibleDuplicate } from './possible-duplicate.ts';
import { newPatronColumns } from './new-patron-columns.ts';
import { isAnswer, overflowsColumn, readPatronBody } from './patron-body.ts';
import type { PatronColumns, PatronRow } from './patron-row.ts';
import { renderPatron } from './render-patron.ts';
import { newAttribute, setterFault } from './set-attributes.ts';

/** `POST /patrons`, in Koha's order: possible duplicate, category, userid, card, library, attributes, commit. */
export async function createPatron(call: ApiCall): Promise<Answer> {
  const { double, release } = call;
  const body = readPatronBody(double, 'POST', call.body);
  if (isAnswer(body)) return body;
  if (isFrom(release, '25.11') && !isConfirmed(call) && hasPossibleDuplicate(double, body.columns)) {
    return problem(409, 'A patron record matching these details already exists');
  }
  const category = double.db.categories.get(String(body.columns['category_id']));
  if (category === undefined) return problem(400, 'Given category_id does not exist');
  if (needsGuarantor(double, category)) return crash();
  const { userid } = body.columns;
  if (isUseridTaken(double, userid)) return problem(400, `Problem with ${String(userid)}`);
  const id = double.db.patrons.takeId();
  const filled = newPatronColumns(double, id, body.columns, category);
  if (double.settings.strict_sql_modes && overflowsColumn(filled)) return crash();
  const columns: PatronColumns = { ...filled, ...cutColumns(filled) };
  if (columns.cardnumber === null) return store(call, columns, category, body.attributes ?? []);
  const free = await double.db.reservations.take(columns.cardnumber);
  try {
    if (double.db.patrons.withCard(columns.cardnumber) !== undefined) return cardTaken(double);
    return await store(call, columns, category, body.attributes ?? []);
  } finally {
    free();
  }
}

export function cardTaken(double: Double): Answer {
  return problem(409, 'Duplicate ID', { conflict: double.settings.card_conflict });
}

async function store(
  call: ApiCall,
  columns: PatronColumns,
  category: CategoryRow,
  attributes: readonly AttributeValue[],
): Promise<Answer> {
  const { double, release } = call;
  const { db } = double;
  if (!db.libraries.has(columns.library_id)) return problem(400, 'Given library_id does not exist');
  // Until 25.05 the welcome mail leaves before the attributes are looked at, and a rollback does not fetch it back.
  const mailsFirst = !isFrom(release, '25.11');
  if (mailsFirst) welcome(call, columns);
  const gaps = double.settings.deadlocks && attributes.length > 0 ? db.attributeGaps : null;
  await gaps?.pause('store');
  const gap = gaps?.open();
  try {
    const owner = { patronId: null, categoryId: columns.category_id, attributes: [] };
    const fault = setterFault(double, owner, attributes);
    if (fault !== null) return inlineAttributeAnswer(fault, release);
    await gaps?.pause('check');
    await leaveGap(double);
    if ((await gap?.insert()) === false) return crash();
    await gaps?.pause('commit');
    if (isUseridTaken(double, columns.userid)) return problem(409, 'Duplicate ID', { conflict: 'userid' });
    return commit(call, buildRow(double, columns, category, attributes), mailsFirst);
  } finally {
    gap?.release();
  }
}

function commit(call: ApiCall, row: PatronRow, mailsFirst: boolean): Answer {
  call.double.db.patrons.put(row);
  if (!mailsFirst) welcome(call, row.columns);
  return {
    status: 201,
    body: renderPatron(call, row),
    headers: { Location: `/api/v1/patrons/${row.patron_id}` },
  };
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

function welcome(call: ApiCall, columns: PatronColumns): void {
  const isWanted = call.double.settings.preferences.AutoEmailNewUser === '1';
  const isOverridden = call.overrides.includes('welcome_yes')
    ? true
    : isWanted && !call.overrides.includes('welcome_no');
  const hasAddress = [columns['email'], columns['secondary_email'], columns['altaddress_email']].some(
    (address) => typeof address === 'string' && address !== '',
  );
  if (isOverridden && hasAddress) call.double.db.mails += 1;
  if (isFrom(call.release, '26.05') && notifiesLibrary(call)) call.double.db.mails += 1;
}

/** `Koha/REST/V1/Patrons.pm`, `add`: staff are notified of each new patron, unless the request says not to. */
function notifiesLibrary({ double, overrides }: ApiCall): boolean {
  if (overrides.includes('opac_reg_yes')) return true;
  const isWanted = !['', '0'].includes(double.settings.preferences.EmailPatronRegistrations);
  return isWanted && !overrides.includes('opac_reg_no');
}

function isConfirmed(call: ApiCall): boolean {
  const header = call.headers['x-confirm-not-duplicate'] ?? '';
  return header !== '' && header !== '0';
}

function isUseridTaken(double: Double, userid: unknown): boolean {
  return typeof userid === 'string' && userid !== '' && double.db.patrons.withUserid(userid) !== undefined;
}

/** Guarantors cannot be sent through the API, so under this preference a child cannot be created at all. */
function needsGuarantor(double: Double, category: CategoryRow): boolean {
  const isChild = category.category_type === 'C' || category.can_be_guarantee;
  const isEnforced = double.settings.preferences.ChildNeedsGuarantor === '1';
  return isEnforced && isChild && !isFrom(double.settings.release, '25.11');
}

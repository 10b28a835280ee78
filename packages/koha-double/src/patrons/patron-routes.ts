import { notFound, ok, problem, type Answer } from '../answer.ts';
import {
  buildRoute,
  embed,
  filter,
  jsonBody,
  listParameters,
  type ApiCall,
  type Operation,
  type Parameter,
} from '../api/operation.ts';
import { listOf, reference } from '../api/schema.ts';
import type { PermissionRule } from '../auth/permissions.ts';
import { passes, type Condition } from '../query/condition.ts';
import { listAnswer } from '../query/list-answer.ts';
import { isRecord } from '../record.ts';
import { isFrom, type Release } from '../release.ts';
import { patronFields } from './patron-fields.ts';
import type { PatronRow } from './patron-table.ts';
import { attributesOf, canFind, patronSource, renderPatron } from './read-patron.ts';
import { createPatron, updatePatron } from './write-patron.ts';

const patron = reference('patron');
const path = '/patrons/{patron_id}';

/** Which columns `GET /patrons` takes as simple filters in a release. */
const filterNames = (release: Release): readonly string[] => [
  ...patronFields.fields
    .filter(
      ({ filter: isTaken, since }) => isTaken !== false && (since === undefined || isFrom(release, '25.11')),
    )
    .map(({ name }) => name),
  'restricted',
];

const flags = ['incorrect_address', 'patron_card_lost', 'restricted', 'autorenew_checkouts', 'protected'];

const readers: readonly Readonly<Record<string, string>>[] = [
  { borrowers: 'edit_borrowers' },
  { circulate: 'manage_bookings' },
  { tools: 'label_creator' },
  { serials: 'routing' },
  { acquisition: 'order_manage' },
];

/** 26.05 takes no other permission for a list. */
function listPermissions(release: Release): PermissionRule {
  if (isFrom(release, '26.05')) return { borrowers: 'list_borrowers' };
  return isFrom(release, '24.11') ? [{ borrowers: 'list_borrowers' }, ...readers] : readers;
}

const listPatrons = buildRoute(
  'GET',
  '/patrons',
  (release) => ({
    parameters: [
      ...filterNames(release).map((name) => filter(name, flags.includes(name) ? 'boolean' : 'string')),
      ...listParameters,
      embed('extended_attributes', 'checkouts+count', 'overdues+count', 'account_balance', 'library'),
    ],
    answers: { 200: listOf(patron) },
    permissions: listPermissions(release),
  }),
  (call) =>
    listAnswer(
      call,
      patronSource(call.double, call.user, call.embeds),
      filterNames(call.release),
      (row, condition) => renderPatron(call, attributesShown(call, row, condition), call.embeds),
    ),
);

/** Before 24.05 the joined attributes are those that are embedded: only the ones that matched. */
function attributesShown({ release }: ApiCall, row: PatronRow, condition: Condition): PatronRow {
  const wanted =
    condition.kind === 'and' ? condition.parts.find(({ kind }) => kind === 'attribute') : undefined;
  if (wanted?.kind !== 'attribute' || isFrom(release, '24.05')) return row;
  const matching = attributesOf(row, wanted.type).filter(({ value }) => passes(wanted, value));
  return { ...row, attributes: matching };
}

const getPatron = buildRoute(
  'GET',
  path,
  (release) => ({
    parameters: [
      embed(
        'extended_attributes',
        ...(isFrom(release, '24.05') ? ['+strings'] : []),
        ...(isFrom(release, '26.05') ? ['library'] : []),
      ),
    ],
    answers: { 200: patron },
    permissions: isFrom(release, '24.11')
      ? [{ borrowers: 'list_borrowers' }, { borrowers: 'edit_borrowers' }]
      : { borrowers: 'edit_borrowers' },
  }),
  (call) => {
    const row = call.double.db.patrons.get(Number(call.path['patron_id']));
    if (row === undefined || !canFind(call.double, call.user, row)) return notFound(call.release, 'Patron');
    return ok(renderPatron(call, row, call.embeds));
  },
);

const welcome = ['welcome_yes', 'welcome_no'];

const override = (release: Release): Parameter => ({
  name: 'x-koha-override',
  in: 'header',
  type: 'array',
  items: {
    type: 'string',
    enum: isFrom(release, '26.05') ? [...welcome, 'opac_reg_yes', 'opac_reg_no'] : welcome,
  },
  collectionFormat: 'csv',
});

const confirmNotDuplicate: Parameter = { name: 'x-confirm-not-duplicate', in: 'header', type: 'string' };

const addPatron = buildRoute(
  'POST',
  '/patrons',
  (release) => ({
    parameters: [
      jsonBody(patron),
      override(release),
      ...(isFrom(release, '25.11') ? [confirmNotDuplicate] : []),
    ],
    answers: { 201: { items: patron } },
    permissions: { borrowers: 'edit_borrowers' },
  }),
  createPatron,
);

const putPatron = buildRoute(
  'PUT',
  path,
  (release) => ({
    parameters: [jsonBody(patron)],
    answers: { 200: { items: patron } },
    permissions: { borrowers: isFrom(release, '26.05') ? 'edit_borrowers' : '1' },
  }),
  updatePatron,
);

/** `Koha/Patron.pm`, `safe_to_delete`: the first reason against it, in Koha's order. */
function reasonToKeep(
  { double: { db, settings } }: ApiCall,
  row: PatronRow,
): readonly [string, string] | null {
  const { patron_id: id, account_balance: balance, columns } = row;
  if (settings.preferences.AnonymousPatron === String(id))
    return ['is_anonymous_patron', 'Anonymous patron cannot be deleted'];
  if (db.checkouts.countOfPatron(id) > 0) return ['has_checkouts', 'Pending checkouts prevent deletion'];
  if (balance > 0) return ['has_debt', 'Pending debts prevent deletion'];
  if ([...db.patrons.rows()].some(({ hidden }) => hidden['guarantor_id'] === id))
    return ['has_guarantees', 'Patron is a guarantor and it prevents deletion'];
  return columns.protected ? ['is_protected', 'Protected patrons cannot be deleted'] : null;
}

const deletePatron = buildRoute(
  'DELETE',
  path,
  { answers: { 204: null }, permissions: { borrowers: 'delete_borrowers' } },
  (call) => {
    const { patrons } = call.double.db;
    const row = patrons.get(Number(call.path['patron_id']));
    if (row === undefined) return notFound(call.release, 'Patron');
    const kept = reasonToKeep(call, row);
    if (kept !== null) return problem(409, kept[1], { error_code: kept[0] });
    patrons.delete(row.patron_id);
    return { status: 204 };
  },
);

const charging = { updatecharges: 'remaining_permissions' };

/** What a patron owes grows by the amount, or shrinks. */
function charge(call: ApiCall, sign: 1 | -1): Answer {
  const { double, release, body } = call;
  const row = double.db.patrons.get(Number(call.path['patron_id']));
  if (row === undefined) return notFound(release, 'Patron');
  const { amount: given } = isRecord(body) ? body : {};
  const amount = Number(given);
  if (amount <= 0) return problem(400, 'amount must be positive');
  double.db.patrons.put({ ...row, account_balance: row.account_balance + sign * amount });
  const line = {
    account_line_id: double.db.patrons.takeAttributeId(),
    amount,
    amount_outstanding: sign > 0 ? amount : 0,
  };
  return { status: 201, body: { ...line, patron_id: row.patron_id } };
}

const addDebit = buildRoute(
  'POST',
  `${path}/account/debits`,
  { parameters: [jsonBody(reference('debit'))], answers: { 201: reference('debit') }, permissions: charging },
  (call) => charge(call, 1),
);

const addCredit = buildRoute(
  'POST',
  `${path}/account/credits`,
  {
    parameters: [jsonBody(reference('patron_account_credit'))],
    answers: { 201: null },
    permissions: charging,
  },
  (call) => charge(call, -1),
);

export const patronRoutes: readonly Operation[] = [
  listPatrons,
  getPatron,
  addPatron,
  putPatron,
  deletePatron,
  addDebit,
  addCredit,
];

import { notFound, ok } from '../answer.ts';
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
import { everything, type Condition } from '../query/condition.ts';
import { listAnswer, simpleFilters } from '../query/list-answer.ts';
import { isFrom, type Release } from '../release.ts';
import { matchingAttributes } from './attribute-query.ts';
import { patronFields } from './patron-fields.ts';
import type { PatronRow } from './patron-table.ts';
import { canFind, patronSource, renderPatron } from './read-patron.ts';
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
      simpleFilters(call.query, filterNames(call.release), { restricted: restrictedFilter(call) }),
      (row, condition) => renderPatron(call, attributesShown(call, row, condition), call.embeds),
    ),
);

/** Any stored restriction date counts, past ones included; `false` is no filter (`Koha/REST/V1/Patrons.pm`, `list`). */
function restrictedFilter(call: ApiCall): Condition {
  if (call.query['restricted'] !== true) return everything;
  return { kind: 'compare', column: 'debarred', comparison: '!=', value: null };
}

/** Before 24.05 the joined attributes are those that are embedded: only the ones that matched. */
function attributesShown(call: ApiCall, row: PatronRow, condition: Condition): PatronRow {
  return isFrom(call.release, '24.05') ? row : { ...row, attributes: matchingAttributes(row, condition) };
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

export const patronRoutes: readonly Operation[] = [listPatrons, getPatron, addPatron, putPatron];

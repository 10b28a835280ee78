import { notFound, ok, type Answer } from '../answer.ts';
import type { ApiCall, Operation, OperationSpec, Parameter } from '../api/operation.ts';
import type { PermissionRule } from '../auth/permissions.ts';
import { embed, filter, jsonBody, listParameters, pathId, withErrors } from '../api/parameters.ts';
import { reference } from '../json-schema.ts';
import { everything, type Condition } from '../query/condition.ts';
import { simpleFilters } from '../query/filters.ts';
import { listAnswer } from '../query/list-answer.ts';
import { isFrom, type Release } from '../release.ts';
import { createPatron } from './create-patron.ts';
import { matchingAttributes } from './attribute-joins.ts';
import { deletePatron } from './delete-patron.ts';
import { patronFields } from './patron-fields.ts';
import type { PatronRow } from './patron-row.ts';
import { patronSource } from './patron-source.ts';
import { renderPatron } from './render-patron.ts';
import { updatePatron } from './update-patron.ts';
import { canFind } from './visibility.ts';

const patron = reference('patron');

const namesByRelease = new Map<Release, ReadonlySet<string>>();

/** Which columns `GET /patrons` takes as simple filters in a release. */
function filterNames(release: Release): ReadonlySet<string> {
  const known = namesByRelease.get(release);
  if (known !== undefined) return known;
  const names = patronFields
    .filter((field) => field.filter !== false)
    .filter((field) => field.since === undefined || isFrom(release, '25.11'))
    .map((field) => field.name);
  const all = new Set([...names, 'restricted']);
  namesByRelease.set(release, all);
  return all;
}

function filterParameters(release: Release): Parameter[] {
  const booleans = new Set([
    'incorrect_address',
    'patron_card_lost',
    'restricted',
    'autorenew_checkouts',
    'protected',
  ]);
  return [...filterNames(release)].map((name) => filter(name, booleans.has(name) ? 'boolean' : 'string'));
}

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

const listPatrons: Operation = {
  method: 'GET',
  path: '/patrons',
  spec: (release) => ({
    parameters: [
      ...filterParameters(release),
      ...listParameters,
      embed('extended_attributes', 'checkouts+count', 'overdues+count', 'account_balance', 'library'),
    ],
    responses: withErrors({ '200': { type: 'array', items: patron } }),
    permissions: listPermissions(release),
  }),
  handle: (call) =>
    listAnswer(
      call,
      patronSource(call.double, call.user, call.embeds),
      simpleFilters(call.query, filterNames(call.release), { restricted: restrictedFilter(call) }),
      (row, condition) => renderPatron(call, attributesShown(call, row, condition), call.embeds),
    ),
};

/** Any stored restriction date counts, past ones included; `false` is no filter (`Koha/REST/V1/Patrons.pm`, `list`). */
function restrictedFilter(call: ApiCall): Condition {
  if (call.query['restricted'] !== true) return everything;
  return { kind: 'compare', column: 'debarred', comparison: '!=', value: null };
}

/** Before 24.05 the joined attributes are those that are embedded: only the ones that matched. */
function attributesShown(call: ApiCall, row: PatronRow, condition: Condition): PatronRow {
  return isFrom(call.release, '24.05') ? row : { ...row, attributes: matchingAttributes(row, condition) };
}

function getEmbeds(release: Release): readonly string[] {
  return [
    'extended_attributes',
    ...(isFrom(release, '24.05') ? ['+strings'] : []),
    ...(isFrom(release, '26.05') ? ['library'] : []),
  ];
}

const getPatron: Operation = {
  method: 'GET',
  path: '/patrons/{patron_id}',
  spec: (release) => ({
    parameters: [pathId('patron_id'), embed(...getEmbeds(release))],
    responses: withErrors({ '200': patron }, 404),
    permissions: isFrom(release, '24.11')
      ? [{ borrowers: 'list_borrowers' }, { borrowers: 'edit_borrowers' }]
      : { borrowers: 'edit_borrowers' },
  }),
  handle: (call): Answer => {
    const row = call.double.db.patrons.get(Number(call.path['patron_id']));
    if (row === undefined || !canFind(call.double, call.user, row)) return notFound(call.release, 'Patron');
    return ok(renderPatron(call, row, call.embeds));
  },
};

const welcome = ['welcome_yes', 'welcome_no'];

const override = (release: Release): Parameter => ({
  name: 'x-koha-override',
  in: 'header',
  required: false,
  type: 'array',
  items: {
    type: 'string',
    enum: isFrom(release, '26.05') ? [...welcome, 'opac_reg_yes', 'opac_reg_no'] : welcome,
  },
  collectionFormat: 'csv',
});

const confirmNotDuplicate: Parameter = {
  name: 'x-confirm-not-duplicate',
  in: 'header',
  required: false,
  type: 'string',
  description: 'Skip the check for a patron with matching details',
};

const addPatron: Operation = {
  method: 'POST',
  path: '/patrons',
  spec: (release): OperationSpec => ({
    parameters: [
      jsonBody(patron),
      override(release),
      ...(isFrom(release, '25.11') ? [confirmNotDuplicate] : []),
    ],
    responses: withErrors({ '201': { items: patron } }, 404, 409),
    permissions: { borrowers: 'edit_borrowers' },
  }),
  handle: createPatron,
};

const putPatron: Operation = {
  method: 'PUT',
  path: '/patrons/{patron_id}',
  spec: (release) => ({
    parameters: [pathId('patron_id'), jsonBody(patron)],
    responses: withErrors({ '200': { items: patron } }, 404, 409),
    permissions: { borrowers: isFrom(release, '26.05') ? 'edit_borrowers' : '1' },
  }),
  handle: updatePatron,
};

const removePatron: Operation = {
  method: 'DELETE',
  path: '/patrons/{patron_id}',
  spec: () => ({
    parameters: [pathId('patron_id')],
    responses: withErrors({ '204': null }, 404, 409),
    permissions: { borrowers: 'delete_borrowers' },
  }),
  handle: deletePatron,
};

export const patronRoutes: readonly Operation[] = [
  listPatrons,
  getPatron,
  addPatron,
  putPatron,
  removePatron,
];

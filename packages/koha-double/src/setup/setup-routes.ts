import { ok, problem, type Answer } from '../answer.ts';
import {
  buildRoute,
  embed,
  filter,
  jsonBody,
  listParameters,
  type ApiCall,
  type Operation,
} from '../api/operation.ts';
import { listOf, reference } from '../api/schema.ts';
import { listAnswer, type Source } from '../query/list-answer.ts';
import { hasPermission } from '../auth/permissions.ts';
import { asText, isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import { libraryTexts, setupDefinitions, type CategoryRow, type CirculationRuleRow } from './setup-rows.ts';

function tableSource<Row extends object>(name: string, rows: readonly Row[]): Source<Row> {
  const columns = setupDefinitions[name]?.properties ?? {};
  return {
    rows: () => rows,
    column: (column) => (Object.hasOwn(columns, column) ? column : undefined),
    read: (row, column) => (row as Readonly<Record<string, unknown>>)[column],
  };
}

const libraryFilters = ['name', ...libraryTexts.split(' ')];

const listLibraries = buildRoute(
  'GET',
  '/libraries',
  {
    parameters: [
      ...libraryFilters.map((name) => filter(name)),
      ...listParameters,
      embed('cash_registers', 'desks', 'smtp_server'),
    ],
    answers: { 200: listOf(reference('library')) },
    permissions: { catalogue: '1' },
  },
  (call) => {
    const source = tableSource('library', [...call.double.db.libraries.values()]);
    const blank = { address2: null, address3: null, state: null, fax: null, notes: null };
    return listAnswer(call, source, libraryFilters, (row) => ({ ...blank, ...row }));
  },
);

const listCategories = buildRoute(
  'GET',
  '/patron_categories',
  {
    parameters: listParameters,
    answers: { 200: listOf(reference('patron_category')) },
    permissions: { parameters: 'manage_patron_categories' },
  },
  (call) => {
    const rows = [...call.double.db.categories.values()].filter(
      (row) => row.libraries.length === 0 || row.libraries.includes(call.actingLibrary),
    );
    // An age limit does not fit the boolean that the description declares: the whole answer is a 500 then.
    return listAnswer(call, tableSource('patron_category', rows), [], renderCategory);
  },
);

const renderCategory = ({ libraries: _limits, ...columns }: CategoryRow): unknown => ({
  ...columns,
  password_expiry_days: null,
  overdue_notice_required: false,
  reserve_fee: 0,
  hide_lost_items: false,
  block_expired_patron_opac_actions: 'follow_syspref_BlockExpiredPatronOpacActions',
  check_prev_checkout: 'inherit',
  can_place_ill_in_opac: true,
  reset_password: null,
  change_password: null,
  min_password_length: null,
  require_strong_password: null,
  exclude_from_local_holds_priority: null,
  no_issues_charge_guarantees: null,
  no_issues_charge_guarantors_with_guarantees: null,
  force_password_reset_when_set_by_staff: false,
  enforce_expiry_notice: false,
});

/** The names of rules: those around lending. */
const rules =
  'issuelength lengthunit maxissueqty maxonsiteissueqty patron_maxissueqty renewalperiod renewalsallowed reservesallowed fine finedays rentaldiscount article_requests'.split(
    ' ',
  );
const scopes = ['library_id', 'patron_category_id', 'item_type_id'] as const;

const listRules = buildRoute(
  'GET',
  '/circulation_rules',
  {
    parameters: [filter('effective', 'boolean'), ...scopes.map((name) => filter(name)), filter('rules')],
    answers: { 200: listOf(reference('circulation_rules')) },
    permissions: [{ circulate: 'circulate_remaining_permissions' }],
  },
  (call) => {
    if (call.query['effective'] !== false || scopes.some((name) => asText(call.query[name]) !== ''))
      return problem(501, 'The stand-in lists all stored rules, and none in force');
    return wrongRule(call) ?? ok(storedRules(call));
  },
);

/** From 25.05 on a name that is no rule is answered with null. */
function wrongRule(call: ApiCall): Answer | null {
  if (isFrom(call.release, '25.05') || wantedRules(call).every((rule) => rules.includes(rule))) return null;
  return problem(400, 'Invalid parameter value', {
    error_code: 'invalid_parameter_value',
    path: '/query/rules',
    values: { uri: '/api/v1/circulation_rules/kinds', field: 'rules' },
  });
}

function wantedRules({ query }: ApiCall): readonly string[] {
  const given = asText(query['rules']);
  return given === '' ? rules : given.split(',');
}

/** Whoever has any rule at all, with null for the wanted rules that are not stored there. */
function storedRules(call: ApiCall): unknown[] {
  const wanted = wantedRules(call);
  const nothing = Object.fromEntries(wanted.map((rule) => [rule, null]));
  const byContext = new Map<string, Record<string, unknown>>();
  for (const row of call.double.db.circulationRules) {
    const context = Object.fromEntries(scopes.map((name) => [name, row[name]]));
    const key = JSON.stringify(context);
    const entry = byContext.get(key) ?? { context, ...nothing };
    byContext.set(key, entry);
    if (wanted.includes(row.rule)) entry[row.rule] = row.value;
  }
  return [...byContext.values()];
}

/** The first part of a scope that this Koha does not have; `*` stands for all. */
function unknownScope({ db }: ApiCall['double'], context: Readonly<Record<string, string>>): Answer | null {
  const known = [
    ['item_type_id', db.itemTypes, '/api/v1/item_types'],
    ['library_id', db.libraries, '/api/v1/libraries'],
    ['patron_category_id', db.categories, '/api/v1/patron_categories'],
  ] as const;
  for (const [field, rows, uri] of known) {
    const code = context[field] ?? '';
    if (code === '*' || rows.has(code)) continue;
    return problem(400, 'Invalid parameter value', {
      error_code: 'invalid_parameter_value',
      path: `/body/context/${field}`,
      values: { uri, field },
    });
  }
  return null;
}

/** From the first release that can ask it (read in openfifth/koha, whose release is not known). */
const ELSEWHERE =
  'manage_circ_rules_from_any_libraries permission is required to manage circulation rules for libraries other than your own';

/** What is left of an exception in a `try` without a `catch`: nothing is rendered. */
const swallowed: Answer = { status: 404 };

/**
 * `set_rules` of `Koha/REST/V1/CirculationRules.pm` and `Koha/CirculationRules.pm`: each rule of exactly this scope is stored; null
 * removes it, and the value that was removed is answered. Where none was stored, the controller dies after all is stored. The scope
 * comes back as Koha stores it, where `*` is null; the schema of that answer has no type, so nothing is refused in it.
 */
const setRules = buildRoute(
  'PUT',
  '/circulation_rules',
  {
    parameters: [jsonBody(reference('circulation_rules'))],
    answers: { 200: null },
    permissions: [{ circulate: 'circulate_remaining_permissions' }],
  },
  ({ double, body, user, release }) => {
    const { db } = double;
    const { context: given, ...values } = isRecord(body) ? body : {};
    const sent = isRecord(given) ? given : {};
    const scope = (name: (typeof scopes)[number]): string => asText(sent[name]) || '*';
    const context = {
      library_id: scope('library_id'),
      patron_category_id: scope('patron_category_id'),
      item_type_id: scope('item_type_id'),
    };
    const refused = unknownScope(double, context);
    if (refused !== null) return refused;
    const mayAnywhere = hasPermission(user.permissions, 'parameters', 'manage_circ_rules_from_any_libraries');
    const isElsewhere = context.library_id !== user.columns.library_id;
    if (isFrom(release, '26.05') && isElsewhere && !mayAnywhere) return problem(403, ELSEWHERE);
    // `croak`
    if (Object.keys(values).some((rule) => !rules.includes(rule))) return swallowed;
    const isOf = (row: CirculationRuleRow): boolean =>
      Object.hasOwn(values, row.rule) && scopes.every((name) => row[name] === context[name]);
    const set = Object.entries(values).flatMap(([rule, value]) =>
      value === null ? [] : [{ ...context, rule, value: asText(value) }],
    );
    const before = db.circulationRules.filter(isOf);
    db.circulationRules = [...db.circulationRules.filter((row) => !isOf(row)), ...set];
    const removed = Object.keys(values).filter((rule) => values[rule] === null);
    if (removed.some((rule) => before.every((row) => row.rule !== rule))) return swallowed;
    const answered = [...before, ...set].map(({ rule, value }) => [rule, value]);
    const stored = Object.entries(context).map(([name, code]) => [name, code === '*' ? null : code]);
    return ok({
      ...(Object.fromEntries(answered) as object),
      context: Object.fromEntries(stored) as unknown,
    });
  },
);

export const setupRoutes: readonly Operation[] = [
  listLibraries,
  { ...listCategories, since: '24.05' },
  { ...listRules, since: '24.11' },
  { ...setRules, since: '25.05' },
];

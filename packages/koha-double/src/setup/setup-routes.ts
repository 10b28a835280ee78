import { notFound, ok } from '../answer.ts';
import { definitionsOf } from '../api/definitions.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { embed, filter, listParameters, withErrors } from '../api/parameters.ts';
import { reference } from '../json-schema.ts';
import { everything } from '../query/condition.ts';
import { simpleFilters } from '../query/filters.ts';
import { listAnswer } from '../query/list-answer.ts';
import type { Source } from '../query/source.ts';
import { libraryTexts } from './setup-definitions.ts';
import type { CategoryRow, LibraryRow } from './setup-rows.ts';

const library = reference('library');
const category = reference('patron_category');
const libraryEmbeds = embed('cash_registers', 'desks', 'smtp_server');

const libraryFilters = ['name', ...libraryTexts];
const libraryFilterNames = new Set(libraryFilters);

function tableSource<Row extends object>(rows: readonly Row[], columns: ReadonlySet<string>): Source<Row> {
  return {
    rows: () => rows,
    count: () => rows.length,
    column: (name) => (columns.has(name) ? name : undefined),
    read: (row, column) => (row as Readonly<Record<string, unknown>>)[column],
  };
}

function propertiesOf(call: ApiCall, name: string): ReadonlySet<string> {
  return new Set(Object.keys(definitionsOf(call.release)[name]?.properties ?? {}));
}

const listLibraries: Operation = {
  method: 'GET',
  path: '/libraries',
  spec: () => ({
    parameters: [...libraryFilters.map((name) => filter(name)), ...listParameters, libraryEmbeds],
    responses: withErrors({ '200': { type: 'array', items: library } }),
    permissions: { catalogue: '1' },
  }),
  handle: (call) => {
    const rows = [...call.double.db.libraries.values()];
    const source = tableSource(rows, propertiesOf(call, 'library'));
    return listAnswer(call, source, simpleFilters(call.query, libraryFilterNames), renderLibrary);
  },
};

const publicLibraries: Operation = {
  method: 'GET',
  path: '/public/libraries',
  isPublic: true,
  spec: () => ({
    parameters: listParameters,
    responses: withErrors({ '200': { type: 'array', items: library } }),
    permissions: null,
  }),
  handle: (call) => {
    const rows = [...call.double.db.libraries.values()].filter((row) => row.public);
    return listAnswer(call, tableSource(rows, propertiesOf(call, 'library')), everything, renderLibrary);
  },
};

const getLibrary: Operation = {
  method: 'GET',
  path: '/libraries/{library_id}',
  spec: () => ({
    parameters: [{ name: 'library_id', in: 'path', required: true, type: 'string' }, libraryEmbeds],
    responses: withErrors({ '200': library }, 404),
    permissions: { catalogue: '1' },
  }),
  handle: (call) => {
    const row = call.double.db.libraries.get(String(call.path['library_id']));
    return row === undefined ? notFound(call.release, 'Library') : ok(renderLibrary(row));
  },
};

function renderLibrary(row: LibraryRow): unknown {
  return { address2: null, address3: null, state: null, fax: null, notes: null, ...row };
}

const listCategories: Operation = {
  method: 'GET',
  path: '/patron_categories',
  since: '24.05',
  spec: () => ({
    parameters: listParameters,
    responses: withErrors({ '200': { type: 'array', items: category } }),
    permissions: { parameters: 'manage_patron_categories' },
  }),
  handle: (call) => {
    const rows = [...call.double.db.categories.values()].filter(
      (row) => row.libraries.length === 0 || row.libraries.includes(call.actingLibrary),
    );
    const source = tableSource(rows, propertiesOf(call, 'patron_category'));
    // An age limit does not fit the boolean that the description declares: the whole answer is a 500 then.
    return listAnswer(call, source, everything, renderCategory);
  },
};

function renderCategory(row: CategoryRow): unknown {
  const { libraries: _limits, ...columns } = row;
  return {
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
  };
}

export const setupRoutes: readonly Operation[] = [listLibraries, publicLibraries, getLibrary, listCategories];

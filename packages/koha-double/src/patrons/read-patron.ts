import type { ApiCall } from '../api/operation.ts';
import { isDate } from '../api/schema.ts';
import { hasPermission } from '../auth/permissions.ts';
import { collate } from '../collation.ts';
import type { Double } from '../double.ts';
import { candidateIds, order, type AttributeCondition, type ColumnCondition } from '../query/condition.ts';
import type { Source } from '../query/list-answer.ts';
import { isFrom, type Release } from '../release.ts';
import { patronFields } from './patron-fields.ts';
import { isExpired, isRestricted, type AttributeRow, type PatronRow } from './patron-table.ts';

/**
 * The branches whose patrons a user finds, or null: all. `Koha/Patron.pm`, `libraries_where_can_see_things`: under
 * `IndependentBranches` the own one, whatever the permission; else all with the permission; else those of a library
 * group that hides, which here is the own branch. Newer code shows all where the groups of the branch hide nothing.
 */
function searchableBranches({ settings }: Double, user: PatronRow): ReadonlySet<string> | null {
  const own = new Set([user.columns.library_id]);
  const isBound =
    settings.preferences.IndependentBranches === '1' &&
    !hasPermission(user.permissions, 'superlibrarian', '1');
  if (isBound) return own;
  if (seesAll(user)) return null;
  return settings.groups_hide_patrons === false && isFrom(settings.release, '26.05') ? null : own;
}

/** Whether a patron is shown whole: `can_see_patrons_from` honours the permission under `IndependentBranches`, too. */
export function canSee(double: Double, user: PatronRow, row: PatronRow): boolean {
  return row.columns.library_id === user.columns.library_id || seesAll(user) || canFind(double, user, row);
}

/** Whether a look-up by number finds the patron: it searches like a list (`Koha/REST/V1/Patrons.pm`, `get`). */
export function canFind(double: Double, user: PatronRow, row: PatronRow): boolean {
  return searchableBranches(double, user)?.has(row.columns.library_id) ?? true;
}

function seesAll(user: PatronRow): boolean {
  return hasPermission(user.permissions, 'borrowers', 'view_borrower_infos_from_any_libraries');
}

/**
 * A patron as the API answers it: a column of the future too, if the row has one. Where the user may not see the
 * patron, everything but the library is null, yet `restricted` and `expired` are filled
 * (`Koha/Patron.pm`, `unredact_list` and `to_api`). A boolean column without a value is false (`Koha/Object.pm`, `TO_JSON`).
 */
export function renderPatron(call: ApiCall, row: PatronRow, embeds: readonly string[] = []): unknown {
  const { double, release } = call;
  const isVisible = canSee(double, call.user, row);
  const columns = patronFields.fieldsOf(release).map(({ name, kind }) => {
    const isShown = isVisible || name === 'library_id';
    return [name, isShown ? (row.columns[name] ?? (kind === 'boolean' ? false : null)) : null];
  });
  const today = double.clock.today();
  return {
    ...(Object.fromEntries(columns) as object),
    restricted: isRestricted(row, today),
    ...(isFrom(release, '24.11') ? { expired: isExpired(row, today) } : {}),
    ...(embeds.includes('extended_attributes')
      ? { extended_attributes: orderedAttributes(release, row) }
      : {}),
    ...(embeds.includes('account_balance') ? { account_balance: row.account_balance } : {}),
  };
}

/**
 * A patron's attributes in the order in which Koha reads them: by type and value (`Koha/Patron/Attributes.pm`), as
 * they came before 24.05.
 */
export function orderedAttributes(release: Release, row: PatronRow): readonly AttributeRow[] {
  if (!isFrom(release, '24.05')) return row.attributes;
  return row.attributes.toSorted(
    (a, b) =>
      order(a.type, b.type) ||
      order(a.value ?? '', b.value ?? '') ||
      a.extended_attribute_id - b.extended_attribute_id,
  );
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * The patrons a user may see, as lists and look-ups read them. Embedded attributes are joined
 * (`Koha/REST/Plugin/Query.pm`, `dbic_merge_prefetch`), balances are not.
 */
export function patronSource(double: Double, user: PatronRow, embeds: readonly string[]): Source<PatronRow> {
  const { patrons } = double.db;
  const { release } = double.settings;
  const branches = searchableBranches(double, user);
  const withAttributes = embeds.includes('extended_attributes');
  const visible = function* (rows: Iterable<PatronRow>): Iterable<PatronRow> {
    for (const row of rows) if (branches === null || branches.has(row.columns.library_id)) yield row;
  };
  return {
    rows: () => visible(patrons.rows()),
    column: (name) => patronColumn(release, name),
    read: ({ columns }, column) => columns[column],
    isBroken: ({ hidden }) => hidden['broken'] === true,
    isAmbiguous: (name) => withAttributes && patronFields.nameOf(name) === 'patron_id',
    convert: (column, value) => convertDate(double, column, value),
    candidates: (condition) => {
      const ids = candidateIds(condition, (of, value) => lookUp(double, of, value));
      return ids === null ? null : visible(patrons.inOrder(ids));
    },
    ...(withAttributes
      ? { attributes: (row, type) => attributesOf(row, type).map(({ value }) => value) }
      : {}),
  };
}

/** A patron's attributes of one type. */
export function attributesOf(row: PatronRow, type: string): readonly AttributeRow[] {
  return row.attributes.filter((one) => collate(one.type) === collate(type));
}

/** Equal to no stored date, and later than each. */
const NO_DATE = '9999-99-99';

/**
 * `Koha/Object.pm`, `_recursive_fixup`: RFC 3339 becomes the database's time in the server's zone, all else fails. A date that is in no
 * calendar is the database's error under `strict_sql_modes`; without, nothing compares with it.
 */
function convertDate({ clock, settings }: Double, column: string, value: string): string | null {
  const kind = patronFields.byName.get(column)?.kind;
  if (kind === 'date' && /^\d{4}-\d\d-\d\d$/.test(value) && !isDate(value))
    return settings.strict_sql_modes ? null : NO_DATE;
  if (kind === 'date') return isDate(value) ? value : null;
  if (kind !== 'date-time') return value;
  return rfc3339.test(value) && isDate(value.slice(0, 10))
    ? clock.timestamp(Date.parse(value)).slice(0, 19).replace('T', ' ')
    : null;
}

function patronColumn(release: Release, name: string): string | undefined {
  const canonical = patronFields.nameOf(name);
  const since = patronFields.byName.get(canonical ?? '')?.since;
  return since === undefined || isFrom(release, since) ? canonical : undefined;
}

function lookUp(
  { db: { patrons } }: Double,
  condition: ColumnCondition | AttributeCondition,
  value: string | number,
): ReadonlySet<number> | null {
  const column = condition.kind === 'column' ? condition.column : undefined;
  if (column === 'patron_id') return new Set([Number(value)]);
  if (typeof value !== 'string') return null;
  if (condition.kind === 'attribute') return patrons.idsWithAttribute(condition.type, value);
  if (column === 'cardnumber') return patrons.ids('card', value);
  return column === 'userid' || column === 'surname' ? patrons.ids(column, value) : null;
}

import type { ApiCall } from '../api/operation.ts';
import { isDate } from '../api/schema.ts';
import { hasPermission } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import { candidateIds, order, type Condition } from '../query/condition.ts';
import type { Source } from '../query/list-answer.ts';
import { isFrom, type Release } from '../release.ts';
import { attributeColumn, joinAttributes, rewriteAttributeQuery } from './attribute-query.ts';
import { patronFields } from './patron-fields.ts';
import {
  isExpired,
  isRestricted,
  restrictedUntil,
  type AttributeRow,
  type PatronRow,
} from './patron-table.ts';

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
    ...Object.fromEntries(embeds.map((name) => renderEmbed(double, row, name))),
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

function renderEmbed(
  { db, clock, settings }: Double,
  row: PatronRow,
  embed: string,
): readonly [name: string, value: unknown] {
  const library = db.libraries.get(row.columns.library_id);
  switch (embed) {
    case 'extended_attributes':
      return [embed, orderedAttributes(settings.release, row)];
    case 'checkouts+count':
      return ['checkouts_count', db.checkouts.countOfPatron(row.patron_id)];
    case 'overdues+count': {
      const now = clock.timestamp();
      const overdue = db.checkouts.ofPatron(row.patron_id).filter((checkout) => checkout.due_date < now);
      return ['overdues_count', overdue.length];
    }
    case 'library':
      return [embed, library ?? null];
    case '+strings': {
      const category = db.categories.get(row.columns.category_id);
      const strings = {
        library_id: { str: library?.name ?? '', type: 'library' },
        category_id: { str: category?.name ?? '', type: 'patron_category' },
      };
      return ['_strings', strings];
    }
    // The last of those that the description names.
    default:
      return ['account_balance', row.account_balance];
  }
}

/** Columns that only the database knows but a query may name. */
const databaseOnly = new Set(['debarred', 'debarredcomment', 'flags', 'contactname']);
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * The patrons a user may see, as lists and look-ups read them. Embedded attributes, checkouts and libraries are joined
 * (`Koha/REST/Plugin/Query.pm`, `dbic_merge_prefetch`), balances and overdues are not.
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
    count: () => (branches === null ? patrons.size : [...visible(patrons.rows())].length),
    column: (name) => {
      if (!name.includes('.')) return patronColumn(release, name);
      return withAttributes && attributeColumn(name) !== undefined ? name : undefined;
    },
    read: (row, column) => {
      if (column === 'debarred') return restrictedUntil(row);
      return Object.hasOwn(row.columns, column) ? row.columns[column] : row.hidden[column];
    },
    isBroken: ({ hidden }) => hidden['broken'] === true,
    isAmbiguous: (name) => isAmbiguous(embeds, patronFields.nameOf(name) ?? name),
    convert: (column, value) => convertDate(double, column, value),
    candidates: (condition) => {
      const ids =
        candidateIds(condition, (column, value) => lookUp(double, column, value)) ??
        attributeIds(double, condition);
      return ids === null ? null : visible(patrons.inOrder(ids));
    },
    ...(withAttributes ? { joined: joinAttributes } : {}),
    ...(withAttributes && isFrom(release, '24.05') ? { rewrite: rewriteAttributeQuery } : {}),
  };
}

/**
 * Columns that a joined table has as well. With the checkouts joined every name needs the prefix; that is what was seen
 * on Koha's own search code (a list of patrons with `checkouts+count`).
 */
function isAmbiguous(embeds: readonly string[], name: string): boolean {
  if (embeds.includes('checkouts+count')) return true;
  if (embeds.includes('extended_attributes') && name === 'patron_id') return true;
  return embeds.includes('library') && name === 'library_id';
}

/** `Koha/Object.pm`, `_recursive_fixup`: RFC 3339 becomes the database's time in the server's zone, all else fails. */
function convertDate({ clock }: Double, column: string, value: string): string | null {
  const kind = patronFields.byName.get(column)?.kind;
  if (kind === 'date') return isDate(value) ? value : null;
  if (kind !== 'date-time') return value;
  return rfc3339.test(value) && isDate(value.slice(0, 10))
    ? clock.timestamp(Date.parse(value)).slice(0, 19).replace('T', ' ')
    : null;
}

function patronColumn(release: Release, name: string): string | undefined {
  const canonical = patronFields.nameOf(name);
  if (canonical === undefined) return databaseOnly.has(name) ? name : undefined;
  const since = patronFields.byName.get(canonical)?.since;
  return since === undefined || isFrom(release, since) ? canonical : undefined;
}

function lookUp({ db: { patrons } }: Double, column: string, value: unknown): ReadonlySet<number> | null {
  if (column === 'patron_id') return new Set([Number(value)]);
  if (typeof value !== 'string') return null;
  const attribute = column.includes('.') ? attributeColumn(column) : undefined;
  if (attribute !== undefined) {
    const { type, key } = attribute;
    return type !== null && key === 'value' ? patrons.idsWithAttribute(type, value) : null;
  }
  if (column === 'cardnumber') return patrons.ids('card', value);
  return column === 'userid' || column === 'surname' ? patrons.ids(column, value) : null;
}

/** An `and` that names both type and value of an attribute is answered from the index of attributes. */
function attributeIds({ db }: Double, condition: Condition): ReadonlySet<number> | null {
  if (condition.kind !== 'and') return null;
  const wanted = new Map<string, string>();
  for (const part of condition.parts) {
    if (part.kind === 'compare' && part.comparison === '=' && typeof part.value === 'string') {
      wanted.set(part.column, part.value);
    }
  }
  const code = wanted.get('extended_attributes.code');
  const value = wanted.get('extended_attributes.attribute');
  return code === undefined || value === undefined ? null : db.patrons.idsWithAttribute(code, value);
}

import type { Double } from '../double.ts';
import { newPatronColumns } from '../patrons/new-patron-columns.ts';
import { patronFieldNames, patronNameByColumn } from '../patrons/patron-fields.ts';
import type { ApiKey, AttributeRow, PatronColumns, PatronRow } from '../patrons/patron-row.ts';
import { asText, isRecord, type Columns } from '../record.ts';
import { completeCategory } from '../setup/complete-rows.ts';

interface Parts {
  readonly columns: Record<string, unknown>;
  readonly hidden: Record<string, unknown>;
}

/**
 * Creates or changes the patron of a card number, past all of Koha's rules. Any column may be given: API names,
 * database names, hidden or unknown ones; also `extended_attributes`, `account_balance`, `permissions`, `api_keys`,
 * and `restricted: true` for a restriction without end.
 */
export function putPatron(double: Double, cardnumber: string, given: Columns): PatronRow {
  const { patrons } = double.db;
  const before = patrons.withCard(cardnumber) ?? newRow(double, cardnumber, given);
  const { columns, hidden } = split(given);
  const attributes = attributesOf(double, given['extended_attributes']) ?? before.attributes;
  const row: PatronRow = {
    patron_id: before.patron_id,
    columns: {
      ...before.columns,
      ...columns,
      patron_id: before.patron_id,
      updated_on: columns['updated_on'] ?? double.clock.timestamp(),
    },
    hidden: { ...before.hidden, ...hidden },
    attributes,
    account_balance: numberOf(given['account_balance']) ?? before.account_balance,
    permissions: permissionsOf(given['permissions']) ?? before.permissions,
    api_keys: keysOf(given['api_keys']) ?? before.api_keys,
  };
  patrons.put(row);
  return row;
}

function newRow(double: Double, cardnumber: string, given: Columns): PatronRow {
  const { libraries, categories, patrons } = double.db;
  const { columns } = split(given);
  const library_id = columns['library_id'] ?? libraries.keys().next().value ?? 'MAIN';
  const first = categories.keys().next().value ?? 'AD';
  const category_id = asText(columns['category_id'] ?? first);
  const category = categories.get(category_id) ?? completeCategory({ patron_category_id: category_id });
  const id = patrons.takeId();
  const filled: PatronColumns = newPatronColumns(
    double,
    id,
    { ...columns, cardnumber, library_id, category_id },
    category,
  );
  return {
    patron_id: id,
    columns: filled,
    hidden: {},
    attributes: [],
    account_balance: 0,
    permissions: new Set(),
    api_keys: [],
  };
}

const apart = new Set([
  'extended_attributes',
  'account_balance',
  'permissions',
  'api_keys',
  'expired',
  'patron_id',
  'borrowernumber',
]);

function split(given: Columns): Parts {
  const parts: Parts = { columns: {}, hidden: {} };
  for (const [key, value] of Object.entries(given)) {
    const name = patronNameByColumn.get(key) ?? key;
    if (apart.has(name)) continue;
    if (name === 'restricted') parts.hidden['debarred'] = value === true ? '9999-12-31' : null;
    else if (patronFieldNames.has(name)) parts.columns[name] = value;
    else parts.hidden[name] = value;
  }
  return parts;
}

function attributesOf(double: Double, given: unknown): AttributeRow[] | undefined {
  if (!Array.isArray(given)) return undefined;
  return given.filter(isRecord).map((one) => ({
    extended_attribute_id: double.db.patrons.takeAttributeId(),
    type: String(one['type']),
    value: one['value'] === null || one['value'] === undefined ? null : asText(one['value']),
  }));
}

function permissionsOf(given: unknown): ReadonlySet<string> | undefined {
  return Array.isArray(given) ? new Set(given.map(String)) : undefined;
}

function keysOf(given: unknown): readonly ApiKey[] | undefined {
  if (!Array.isArray(given)) return undefined;
  return given.filter(isRecord).map((one) => ({
    client_id: String(one['client_id']),
    secret: String(one['secret'] ?? one['client_secret']),
    active: one['active'] !== false,
  }));
}

function numberOf(given: unknown): number | undefined {
  return typeof given === 'number' ? given : undefined;
}

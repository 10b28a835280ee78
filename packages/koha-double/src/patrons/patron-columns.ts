import { crash, problem, type Answer } from '../answer.ts';
import { addMonths } from '../clock.ts';
import { collate } from '../collation.ts';
import type { Double } from '../double.ts';
import { cutText, overflows } from '../fields.ts';
import { isRecord } from '../record.ts';
import type { CategoryRow } from '../setup/setup-rows.ts';
import { attributeValueOf, type AttributeValue } from './attributes.ts';
import { patronFields, unwritableEmbeds } from './patron-fields.ts';
import type { PatronColumns, PatronRow } from './patron-table.ts';

type Columns = Readonly<Record<string, unknown>>;

/** A checked body in two parts: columns to write, and the attributes if it names any. */
export interface PatronBody {
  readonly columns: Columns;
  readonly attributes: readonly AttributeValue[] | null;
}

/** Koha's own treatment of what comes in: blanks trimmed, notes scrubbed. */
export function readPatronBody(method: 'POST' | 'PUT', body: unknown): PatronBody | Answer {
  if (!isRecord(body)) return crash();
  if (Object.keys(unwritableEmbeds).some((name) => Object.hasOwn(body, name))) return crash();
  const { extended_attributes: attributes, ...given } = body;
  const columns: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const isMoment = patronFields.byName.get(name)?.kind === 'date-time';
    if (isMoment && typeof value === 'string' && !/(?:[Zz]|[+-]\d\d:\d\d)$/.test(value)) {
      return method === 'POST'
        ? problem(400, 'Given  does not exist')
        : problem(400, 'Invalid parameter(s)', { parameters: name });
    }
    columns[name] = tidy(name, value);
  }
  return { columns, attributes: Array.isArray(attributes) ? attributes.map(attributeValueOf) : null };
}

export function isAnswer(value: object): value is Answer {
  return 'status' in value;
}

const scrubbed = new Set(['staff_notes', 'opac_notes']);
const allowedTags = /^(?:\/?(?:b|i|em|strong|u|br|hr|p|ul|ol|li|small|big|span|div))$/i;

function tidy(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (!scrubbed.has(name)) return text;
  return text.replace(/<([^<>]*)>/g, (tag, inside: string) =>
    allowedTags.test(inside.split(/[\s/]*(?=\s|$)/)[0] ?? '') ? tag : '',
  );
}

/** The columns as the database stores them: cut where they are too long, or null where strict modes refuse them; the API does not say why. */
export function storableColumns({ settings }: Double, columns: Columns): Record<string, unknown> | null {
  const entries = Object.entries(columns).map(([name, value]) => {
    const field = patronFields.byName.get(name);
    const isTooLong = typeof value === 'string' && field !== undefined && overflows(value, field);
    return { name, isTooLong, value: isTooLong ? cutText(value, field) : value };
  });
  if (settings.strict_sql_modes && entries.some(({ isTooLong }) => isTooLong)) return null;
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]));
}

const privacyOf = { forever: 0, default: 1, never: 2 } as const;

/** All columns of a new patron: those given, and what Koha fills in by itself. */
export function newPatronColumns(
  double: Double,
  id: number,
  given: Columns,
  category: CategoryRow,
): PatronColumns {
  const { clock, settings } = double;
  const card = textOf(given['cardnumber']) || (given['cardnumber'] ?? null);
  const triggers = settings.preferences.TrackLastPatronActivityTriggers.toLowerCase().split(/\s*,\s*/);
  return {
    ...Object.fromEntries(patronFields.fields.map(({ name, nullable }) => [name, nullable ? null : false])),
    autorenew_checkouts: true,
    check_previous_checkout: 'inherit',
    lang: 'default',
    login_attempts: 0,
    updated_on: clock.timestamp(),
    ...given,
    patron_id: id,
    privacy: privacyOf[category.default_privacy],
    cardnumber: typeof card === 'string' ? transformCard(double, card) : card,
    userid: textOf(given['userid']) || generateUserid(double, given),
    preferred_name: textOf(given['preferred_name']) || (given['firstname'] ?? null),
    date_enrolled: given['date_enrolled'] ?? clock.today(),
    expiry_date: given['expiry_date'] ?? expiryOf(double, category),
    ...(triggers.includes('creation') ? { last_seen: clock.timestamp() } : {}),
  } as unknown as PatronColumns;
}

/** Koha's expiry for a category: its fixed date, or its months from today. */
function expiryOf(
  { clock }: Double,
  { enrolment_period, enrolment_period_date }: CategoryRow,
): string | null {
  if (enrolment_period_date !== null) return enrolment_period_date;
  return enrolment_period === null ? null : addMonths(clock.today(), enrolment_period);
}

/**
 * What another plugin's `patron_barcode_transform` makes of a card: the setting `card_prefix` before each that lacks it. Koha calls
 * it before it looks a scanned card up, and on every save (`Koha/Patron.pm`, `store`), so that what is stored may not be what
 * was sent. A query through the API is not changed.
 */
export function transformCard({ settings }: Double, card: string): string {
  const { card_prefix: prefix } = settings;
  return card === '' || card.startsWith(prefix) ? card : `${prefix}${card}`;
}

/**
 * `_generate_userid_internal` of `Koha/Patron.pm`: `firstname.surname` in small letters without digits, blanks,
 * punctuation and marks, numbered when taken. Somebody without a name becomes "1", "2", ...
 */
export function generateUserid({ db }: Double, given: Columns): string {
  const [first = '', last = ''] = [given['firstname'], given['surname']].map((name) =>
    textOf(name).replace(/[\p{Nd}\s\p{P}\p{Cc}$+<=>^`|~]/gu, ''),
  );
  const base = (first === '' ? last : `${first}.${last}`)
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '');
  for (let offset = 0; ; offset++) {
    const candidate = offset === 0 ? base : `${base}${offset}`;
    if (candidate !== '' && db.patrons.first('userid', candidate) === undefined) return candidate;
  }
}

/**
 * Whether a patron with the same matching fields exists (25.11 on). A blank is unknown, not different, on both sides
 * (`Koha/Patrons.pm`, `check_for_existing_matches`): without a birth date every namesake is a match, and so is a
 * record that has nothing in any of the fields that are compared. With no filled field there is none.
 */
export function hasPossibleDuplicate({ db, settings }: Double, given: Columns): boolean {
  const wanted = settings.preferences.PatronDuplicateMatchingAddFields.split('|')
    .map((column) => patronFields.nameOf(column) ?? column)
    .map((name) => [name, textOf(given[name]).trim()] as const)
    .filter(([, value]) => value !== '');
  if (wanted.length === 0) return false;
  const isSameOrBlank = (row: PatronRow, name: string, value: string): boolean =>
    ['', collate(value)].includes(collate(textOf(row.columns[name]).trim()));
  const surname = wanted.find(([name]) => name === 'surname')?.[1];
  const { patrons } = db;
  const rows =
    surname === undefined
      ? [...patrons.rows()]
      : patrons.inOrder([...patrons.ids('surname', surname), ...patrons.ids('surname', '')]);
  return rows.some((row) => wanted.every(([name, value]) => isSameOrBlank(row, name, value)));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

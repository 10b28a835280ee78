import * as z from 'zod';
import { MAX_ATTRIBUTES, boundedList, flagSchema } from '../answers/json-body.ts';
import { PATRON_FIELDS } from '@passport/contract';

/** A patron as Koha shows it, reduced to what the service may know. Dates are `YYYY-MM-DD`. */
export interface KohaPatron {
  readonly patronId: number;
  readonly cardnumber: string | null;
  readonly surname: string | null;
  readonly firstname: string | null;
  /** The contact fields of PATRON_FIELDS by Koha's name; null where Koha has none, absent where Koha's answer lacks the key. */
  readonly fields: Readonly<Record<string, string | null>>;
  readonly libraryId: string;
  readonly categoryId: string;
  readonly dateOfBirth: string | null;
  /** When Koha first enrolled them here. */
  readonly dateEnrolled: string | null;
  readonly expiryDate: string | null;
  /** Koha's own flag; null where the release has none. */
  readonly expired: boolean | null;
  /** Koha has emptied the record for privacy and left its attributes; null where the release has no such flag. */
  readonly anonymized: boolean | null;
  readonly restricted: boolean | null;
  readonly cardLost: boolean | null;
  readonly incorrectAddress: boolean | null;
  /** Whether Koha keeps what was borrowed: 0 for ever, 1 as its library does, 2 never; null when it was not answered. */
  readonly privacy: number | null;
  /** What the patron owes, below zero what the library owes; null when it was not requested or not answered. */
  readonly accountBalance: number | null;
  /** Null when they were not requested or not answered. After a search by attribute these can be the matching ones only. */
  readonly attributes: readonly PatronAttribute[] | null;
  /** Koha knows the record but does not show it to this API user. */
  readonly hidden: boolean;
}

export interface PatronAttribute {
  readonly type: string;
  readonly value: string | null;
  readonly id: number | null;
}

/** A fact of the wrong type is a missing fact: eligibility then says so, instead of the whole answer being thrown away. */
const fact = <T extends z.ZodType>(schema: T) => schema.nullable().catch(null);
const flag = fact(flagSchema);
const date = fact(z.iso.date());
/** Koha's column for these is empty until somebody sets it, so null is a "no"; only a missing or strange value is unknown. */
const mark = z.preprocess((value) => (value === null ? false : value), flag);
const balance = fact(
  z.union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ]),
);

/**
 * Text that Koha's column can hold. A longer one is in no Koha, so the whole row counts as broken (`bad_answer`): to cut it, or to
 * leave it out, would pass a made-up value on as the patron's. Code units are counted, which is never stricter than the column.
 */
const held = (characters: number) => z.string().max(2 * characters);
/** Koha's `cardnumber` column, in characters. */
export const LONGEST_CARD = 32;
/** Codes of branches and patron categories. */
const LONGEST_CODE = 10;
/** Code column of patron attribute types. */
const LONGEST_TYPE = 64;
/** Of the largest column Koha has for these fields, in bytes. */
const LONGEST_TEXT = 65_535;

/** Koha's column holds 255 characters; nothing longer is ever compared or written. */
const MAX_ATTRIBUTE_VALUE = 4_000;

const attributeSchema = z.object({
  type: held(LONGEST_TYPE),
  value: z.string().max(MAX_ATTRIBUTE_VALUE).nullable(),
  extended_attribute_id: fact(z.number().int()),
});

/** Missing or of the wrong kind is a missing fact; too many, or one too long, is a broken row. */
const attributes = z.preprocess(
  (list) => (Array.isArray(list) && (list.length > MAX_ATTRIBUTES || list.every(isAttribute)) ? list : null),
  boundedList(attributeSchema, MAX_ATTRIBUTES).nullable(),
);
/** Which column it is does not matter here: the copy is cut to its own. */
const text = z.preprocess(
  (value) => (value === undefined || typeof value === 'string' ? value : null),
  z.string().max(LONGEST_TEXT).nullable().optional(),
);

/** What a patron has chosen, as text; null where Koha holds what it does for those who have not. */
const choice = (unchosen: string | boolean) =>
  z.preprocess(
    (value) =>
      typeof value === typeof unchosen && value !== unchosen
        ? String(value)
        : value === unchosen
          ? null
          : undefined,
    text,
  );

const rowSchema = z.object({
  patron_id: z.number().int().positive().nullable(),
  cardnumber: held(LONGEST_CARD).nullable(),
  library_id: held(LONGEST_CODE).nullable(),
  category_id: held(LONGEST_CODE).nullable(),
  date_enrolled: date.optional(),
  expiry_date: date,
  expired: flag,
  anonymized: flag,
  restricted: flag,
  patron_card_lost: mark,
  incorrect_address: mark,
  privacy: fact(z.union([z.literal(0), z.literal(1), z.literal(2)])).optional(),
  account_balance: balance,
  extended_attributes: attributes,
  ...Object.fromEntries(
    PATRON_FIELDS.map(({ name, kind, unchosen }) => [
      name,
      (kind === 'date' ? date : unchosen === undefined ? text : choice(unchosen)).optional(),
    ]),
  ),
});

/**
 * Parses one patron of an answer; keys outside the allow-list are dropped here and live nowhere after it. Undefined when it is
 * no patron. `requestedId` names a record that was requested by id, so that a hidden one keeps it.
 */
export function parsePatron(json: unknown, requestedId?: number): KohaPatron | undefined {
  const parsed = rowSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const row = parsed.data;
  const patronId = row.patron_id ?? requestedId;
  if (patronId === undefined) return undefined;
  const fields = parseFields(row);
  return {
    patronId,
    cardnumber: row.cardnumber,
    surname: fields['surname'] ?? null,
    firstname: fields['firstname'] ?? null,
    fields,
    libraryId: row.library_id ?? '',
    categoryId: row.category_id ?? '',
    dateOfBirth: fields['date_of_birth'] ?? null,
    dateEnrolled: row.date_enrolled ?? null,
    expiryDate: row.expiry_date,
    expired: row.expired,
    anonymized: row.anonymized,
    restricted: row.restricted,
    cardLost: row.patron_card_lost,
    incorrectAddress: row.incorrect_address,
    privacy: row.privacy ?? null,
    accountBalance: row.account_balance,
    attributes:
      row.extended_attributes?.map(({ type, value, extended_attribute_id: id }) => ({ type, value, id })) ??
      null,
    hidden: row.patron_id === null,
  };
}

function parseFields(row: Readonly<Record<string, unknown>>): Readonly<Record<string, string | null>> {
  const fields: Record<string, string | null> = {};
  for (const { name } of PATRON_FIELDS) {
    const value = row[name];
    if (typeof value === 'string' || value === null) fields[name] = value;
  }
  return fields;
}

function isAttribute(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  const value: unknown = Reflect.get(json, 'value');
  return typeof Reflect.get(json, 'type') === 'string' && (value === null || typeof value === 'string');
}

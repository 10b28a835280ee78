import { collate } from '../collation.ts';
import { isRecord } from '../record.ts';
import { Table } from '../table.ts';

/** One value of an attribute type on a patron. */
export interface AttributeRow {
  readonly extended_attribute_id: number;
  readonly type: string;
  readonly value: string | null;
}

/** Key pair with which a patron may fetch OAuth2 tokens. */
export interface ApiKey {
  readonly client_id: string;
  readonly secret: string;
  readonly active: boolean;
  readonly description: string;
}

/** One patron as stored. `columns` are those the API can show, under API names; `hidden` all others. */
export interface PatronRow {
  readonly patron_id: number;
  readonly columns: PatronColumns;
  readonly hidden: Readonly<Record<string, unknown>>;
  readonly attributes: readonly AttributeRow[];
  readonly account_balance: number;
  readonly permissions: ReadonlySet<string>;
  readonly api_keys: readonly ApiKey[];
}

/** The columns that the double itself reads; the others are there too, by name. */
export interface PatronColumns extends Readonly<Record<string, unknown>> {
  readonly patron_id: number;
  readonly cardnumber: string | null;
  readonly surname: string | null;
  readonly firstname: string | null;
  readonly userid: string | null;
  readonly library_id: string;
  readonly category_id: string;
  readonly date_of_birth: string | null;
  readonly expiry_date: string | null;
  readonly incorrect_address: boolean | null;
  readonly patron_card_lost: boolean | null;
  readonly protected: boolean;
}

/** A row of `borrower_debarments` that the plugin wrote. Those of staff are the hidden column `debarred` only. */
export interface RestrictionRow {
  readonly id: number;
  readonly type: string;
  readonly comment: string;
  /** The day with which it ends; null: none. */
  readonly expiration: string | null;
}

/** The plugin's restrictions of a patron, kept in the hidden column `restrictions`. */
export function restrictionsOf({ hidden }: Pick<PatronRow, 'hidden'>): readonly RestrictionRow[] {
  const rows = hidden['restrictions'];
  return Array.isArray(rows)
    ? rows.filter((row): row is RestrictionRow => isRecord(row) && typeof row['id'] === 'number')
    : [];
}

/** The date until which a patron is restricted, by staff or the plugin, or null. `9999-12-31` is for ever. */
export function restrictedUntil(row: PatronRow): string | null {
  const byStaff = row.hidden['debarred'];
  const byPlugin = restrictionsOf(row).map(({ expiration }) => expiration ?? '9999-12-31');
  const dates = [...(typeof byStaff === 'string' && byStaff !== '' ? [byStaff] : []), ...byPlugin];
  return dates.toSorted().at(-1) ?? null;
}

/** `is_debarred` of `Koha/Patron.pm`: until the midnight with which that day begins. */
export function isRestricted(row: PatronRow, today: string): boolean {
  const until = restrictedUntil(row);
  return until !== null && until > today;
}

/** Koha's own rule: no date, or one in the year 9999, never expires; the last day still counts. */
export function isExpired(row: PatronRow, today: string): boolean {
  const until = row.columns.expiry_date;
  return until !== null && !until.startsWith('9999') && until < today;
}

/** The borrowers of one Koha with the indexes that its database has. */
export class PatronTable extends Table<PatronRow, 'card' | 'userid' | 'surname' | 'attribute' | 'client'> {
  #nextAttributeId = 1;
  #nextRestrictionId = 1;

  constructor() {
    super(
      (row) => row.patron_id,
      function* ({ columns: { cardnumber, userid, surname }, attributes, api_keys }) {
        if (cardnumber !== null) yield ['card', cardnumber];
        if (userid !== null) yield ['userid', userid];
        // Who has no surname is found with those whose surname is blank.
        yield ['surname', surname ?? ''];
        for (const { type, value } of attributes) yield ['attribute', attributeKey(type, value ?? '')];
        for (const key of api_keys) yield ['client', key.client_id];
      },
    );
  }

  takeAttributeId(): number {
    return this.#nextAttributeId++;
  }

  takeRestrictionId(): number {
    return this.#nextRestrictionId++;
  }

  withCard(card: string): PatronRow | undefined {
    return this.first('card', card);
  }

  idsWithAttribute(type: string, value: string): ReadonlySet<number> {
    return this.ids('attribute', attributeKey(type, value));
  }
}

const attributeKey = (type: string, value: string): string => `${collate(type)}\n${collate(value)}`;

import type { Agreement, CategoryChoice, ExpiryChoice, Library } from '@passport/config';
import { PATRON_FIELDS, SETTABLE_FIELDS, type PatronField } from '@passport/contract';
import type { KohaPatron, PatronBody } from '@passport/koha-client';
import type { Misconfiguration } from './failure.ts';
import { cleanText } from './clean-text.ts';
import { dayAfter } from './day-after.ts';
import { fitNames } from './fit-names.ts';
import { fitText, fits } from './fit-text.ts';

/** Everything a copy depends on. */
export interface CopyCase {
  readonly patron: KohaPatron;
  readonly home: Library;
  readonly agreement: Agreement;
  readonly lending: Library;
  /** The branch of the scan. */
  readonly branch: string;
  /** The day of the scan where it was made (`YYYY-MM-DD`). */
  readonly scannedOn: string;
  /** Whether the lending Koha's description has this patron property (`Capabilities.patronProperties`). */
  readonly accepts: (property: string) => boolean;
}

export type PatronCopy =
  | {
      readonly kind: 'copy';
      /** The exact body of `POST /patrons`. */
      readonly body: PatronBody;
      /** `{home id}:{patron id there}`. */
      readonly homeKey: string;
      /** Names of the fields whose values come from home, in the order of the groups; for audit and receipts. */
      readonly fields: readonly string[];
      /** Names of all fields that may come from home, those that home has empty too. */
      readonly agreed: readonly string[];
      /** The privacy that the copy has at least, Koha's 1 or 2; null: any. Koha takes it from the category at a create, whatever the body says. */
      readonly privacy: number | null;
    }
  /** Nothing may be written until a person fixes the lending library's configuration. */
  | { readonly kind: 'misconfigured'; readonly problem: Misconfiguration };

/** The home key of a patron: names them for ever, whatever happens to the card. */
export function homeKeyOf(homeId: string, patronId: number): string {
  return `${homeId}:${patronId}`;
}

/**
 * Builds the copy of a home patron from an allow-list: what `share`, the agreement and `copy.fields` all
 * let through, in Koha's limits, then `set`. No login, password, note, flag or history can get in: there is no code that reads them.
 */
export function buildPatronCopy(input: CopyCase): PatronCopy {
  const { patron, home, lending, branch } = input;
  const { categories } = lending.copy;
  const choice = (Object.hasOwn(categories, home.id) ? categories[home.id] : null) ?? lending.copy.category;
  const category = choice === null ? null : chooseCategory(choice, patron.categoryId);
  if (category === null) {
    return { kind: 'misconfigured', problem: { what: 'category', name: codeOf(patron.categoryId) } };
  }
  const fixed = fixedValues(input);
  const agreed = agreedFields(input, fixed);
  const copied = copiedValues(input, agreed);
  const kept = Object.fromEntries(Object.entries(fixed).filter(([, value]) => value !== ''));
  const values = fitNames({ ...copied, ...kept });
  const homeKey = homeKeyOf(home.id, patron.patronId);
  const body: PatronBody = {
    surname: null,
    ...values,
    cardnumber: (patron.cardnumber ?? '').trim(),
    library_id: lending.copy.branch.kind === 'fixed' ? lending.copy.branch.branch : branch,
    category_id: category,
    ...expiryOf(lending.copy.expiry, patron.expiryDate, input.scannedOn),
    extended_attributes: passportOf(lending, home.id, homeKey),
  };
  const fields = Object.keys(copied).filter((name) => name in values);
  const privacy = leastPrivacy(patron);
  const passed = privacy === NEVER ? [...fields, 'privacy'] : fields;
  return { kind: 'copy', body, homeKey, fields: passed, agreed: agreed.map(({ name }) => name), privacy };
}

/** Koha's privacy of a patron whose checkouts are kept no longer than until their return. */
const NEVER = 2;

/** The privacy that a copy of this patron has at least: nobody is less private elsewhere than at home. What is kept for ever there need not be here. */
export const leastPrivacy = ({ privacy }: Pick<KohaPatron, 'privacy'>): number | null =>
  privacy === null || privacy === 0 ? null : privacy;

/** A category code as Koha's own form takes it (`categories.tt`); null for text that only another library's Koha calls one. */
function codeOf(categoryId: string): string | null {
  return /^[\w-]{1,10}$/.test(categoryId) ? categoryId : null;
}

/** The category of a copy of a patron with this category at home; null: a map of the lending library leaves it out. */
export function chooseCategory(choice: CategoryChoice, homeCategory: string): string | null {
  if (choice.kind === 'one') return choice.category;
  return Object.hasOwn(choice.map, homeCategory) ? (choice.map[homeCategory] ?? null) : choice.otherwise;
}

/** What may come from home: allowed by all three, taken by this Koha, not fixed by the lending library. */
function agreedFields(
  { home, agreement, lending, accepts }: CopyCase,
  fixed: Readonly<Record<string, string>>,
): readonly PatronField[] {
  const allowing: readonly (readonly string[])[] = [
    home.share.fields,
    lending.copy.fields,
    ...(agreement.fields === null ? [] : [agreement.fields]),
  ];
  const allowed = (name: string): boolean => allowing.every((names) => names.includes(name));
  return PATRON_FIELDS.filter(
    ({ name }) => (name === 'surname' || allowed(name)) && !(name in fixed) && accepts(name),
  );
}

/** Who a patron is, in the values that a copy of them has. */
export function identityOf(patron: KohaPatron): Readonly<Record<string, string>> {
  const named = PATRON_FIELDS.filter(({ name }) => IDENTITY.has(name));
  return { ...fitNames(copiedValues({ patron }, named)), cardnumber: (patron.cardnumber ?? '').trim() };
}

const IDENTITY: ReadonlySet<string> = new Set(['surname', 'firstname', 'date_of_birth']);

function copiedValues(
  { patron }: Pick<CopyCase, 'patron'>,
  agreed: readonly PatronField[],
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const field of agreed) {
    const value = valueFor(field, patron.fields[field.name] ?? '');
    if (value !== '') values[field.name] = value;
  }
  return values;
}

/** What the lending library fixes, where its Koha has the field. '' means: not copied either. */
function fixedValues({ lending, accepts }: CopyCase): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, raw] of Object.entries(lending.copy.set)) {
    const field = PATRON_FIELDS.find((each) => each.name === name);
    const limit = SETTABLE_FIELDS[name];
    if (!accepts(name) || (name === 'surname' && cleanText(raw) === '')) continue;
    if (field !== undefined) values[name] = valueFor(field, raw);
    else if (limit !== undefined) values[name] = fitText(cleanText(raw), limit);
  }
  return values;
}

/** The value as Koha takes it; '' when there is none, or only one that Koha would refuse or that must not be cut. */
function valueFor({ kind, limit, values }: PatronField, raw: string): string {
  const text = cleanText(raw);
  if (values !== undefined && !values.includes(text)) return '';
  if (kind === 'text') return fitText(text, limit);
  return fits(text, limit) ? text : '';
}

/** `home` and `days` leave the date to the category where home has none; `days` never goes beyond home's. */
function expiryOf(
  choice: ExpiryChoice,
  homeExpiry: string | null,
  scannedOn: string,
): { expiry_date?: string } {
  switch (choice.kind) {
    case 'category':
      return {};
    case 'home':
      return homeExpiry === null ? {} : { expiry_date: homeExpiry };
    case 'days': {
      const last = dayAfter(scannedOn, choice.days);
      return { expiry_date: homeExpiry !== null && homeExpiry < last ? homeExpiry : last };
    }
    default:
      return choice satisfies never;
  }
}

function passportOf({ copy }: Library, homeId: string, homeKey: string): { type: string; value: string }[] {
  return [
    { type: copy.passportAttribute, value: homeId },
    ...(copy.homeKeyAttribute === null ? [] : [{ type: copy.homeKeyAttribute, value: homeKey }]),
  ];
}

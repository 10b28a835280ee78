import * as z from 'zod';
import { type FieldLimit, PATRON_FIELDS, SETTABLE_FIELDS } from '@passport/contract';
import { didYouMean } from '../problems/nearest.ts';
import { key, section } from '../keys/key.ts';
import { duration, fieldList, kohaCode, list, orLeftOut, words } from '../keys/kinds.ts';

const category = kohaCode(10);
const attributeType = kohaCode(64);

/** The language of a text that is there in one language only, whichever that is (BCP 47). */
const UNDETERMINED = 'und';
const LANGUAGE = /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/;
const MOST_LANGUAGES = 20;
const LONGEST_TEXT = 2_000;
/** The state of an event carries them all: a plugin reads at most 64 KiB, and a character can take six. */
const MOST_IN_ALL = 8_000;

/** Plain text. */
const lines = z
  .string()
  .min(1)
  .max(LONGEST_TEXT)
  .regex(/^[^\p{Cc}\n]*(?:\n[^\p{Cc}\n]*)*$/u)
  .refine((text) => text.trim() !== '', { message: 'is blank' });

const byLanguage = z
  .record(z.string().regex(LANGUAGE), lines)
  .refine((texts) => Object.keys(texts).length > 0, { message: 'has no text' })
  .refine((texts) => Object.keys(texts).length <= MOST_LANGUAGES, {
    message: `has more than ${MOST_LANGUAGES} languages`,
  })
  .refine((texts) => Object.values(texts).join('').length <= MOST_IN_ALL, {
    message: `has more than ${MOST_IN_ALL} characters in all`,
  });

const consentText = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/),
    text: z.union([lines, byLanguage]),
  })
  .nullable()
  .transform((written) => {
    if (written === null) return null;
    const { id: textId, text } = written;
    return { textId, texts: typeof text === 'string' ? { [UNDETERMINED]: text } : text };
  });

const SETTABLE: ReadonlyMap<string, FieldLimit> = new Map([
  ...PATRON_FIELDS.map(({ name, limit }) => [name, limit] as const),
  ...Object.entries(SETTABLE_FIELDS),
]);
/** Text columns are longer than any value a person would fix here. */
const LONGEST_TEXT_COLUMN = 255;

function faultOfSet(field: string, value: string | null): string | null {
  const limit = SETTABLE.get(field);
  if (limit === undefined) return `is no field that can be set${didYouMean(field, [...SETTABLE.keys()])}`;
  if (value === null) return null;
  if (field === 'date_of_birth')
    return z.iso.date().safeParse(value).success ? null : 'is not a date such as 2001-12-31';
  const longest = 'characters' in limit ? limit.characters : LONGEST_TEXT_COLUMN;
  return Array.from(value).length > longest ? `is longer than Koha's ${longest} characters` : null;
}

const fixedValues = z.record(z.string(), z.string().nullable()).superRefine((values, context) => {
  for (const [field, value] of Object.entries(values)) {
    const message = faultOfSet(field, value);
    if (message !== null) context.addIssue({ code: 'custom', path: [field], message });
  }
});

const categoryChoice = z
  .union([
    category,
    z.strictObject({
      by_home_category: z.record(category, category),
      otherwise: category.nullish(),
    }),
  ])
  .transform((choice) => {
    if (typeof choice === 'string') return { kind: 'one', category: choice } as const;
    const { by_home_category: map, otherwise = null } = choice;
    return { kind: 'by_home_category', map, otherwise } as const;
  });
const printCategory = (choice: z.output<typeof categoryChoice>) =>
  choice.kind === 'one' ? choice.category : { by_home_category: choice.map, otherwise: choice.otherwise };

/** How a lending library makes copies. */
export const copySection = section(
  z
    .strictObject({
      mode: words(
        ['copy', 'observe'],
        'copy',
        'Observe: nothing is written in this library, and nothing is checked out; the desk, the statistics and the receipts show what would have been done. For the first weeks of a member.',
      ),
      /** Null only for a library that is never a lending one. A home category without a copy's is refused. */
      category: key(orLeftOut(categoryChoice), {
        description: 'Patron category of the copies. Required for every lending library.',
        allowed:
          'a category of 1 to 10 characters, or {by_home_category: {HOME: CATEGORY, ...}, otherwise: CATEGORY}',
        absent: null,
        standIn: { kind: 'one', category: '' },
        note: 'required for a lending library',
        print: (choice) => (choice === null ? null : printCategory(choice)),
      }),
      categories: key(z.record(z.string(), categoryChoice), {
        description:
          'Patron category of the copies of single home libraries, by their id, instead of `category`.',
        allowed: '{LIBRARY: CATEGORY or {by_home_category: {HOME: CATEGORY, ...}, otherwise: CATEGORY}}',
        fallback: {},
        isByEntry: true,
        print: (choices) =>
          Object.fromEntries(Object.entries(choices).map(([home, choice]) => [home, printCategory(choice)])),
      }),
      formerCategories: key(list(category), {
        description:
          "Other categories that copies may have: from an earlier configuration, or after a manual change. A record with a home key in any other category counts as one of the library's own patrons, into which a copy was merged.",
        allowed: 'a list of categories of 1 to 10 characters',
        fallback: [],
      }),
      branch: key(
        z
          .union([z.literal('scan'), z.strictObject({ fixed: category })])
          .transform((branch) =>
            branch === 'scan'
              ? ({ kind: 'scan' } as const)
              : ({ kind: 'fixed', branch: branch.fixed } as const),
          ),
        {
          description: 'Branch of the copies: the branch of the scan, or a fixed one.',
          allowed: 'scan or {fixed: BRANCH}',
          fallback: 'scan',
          print: (choice) => (choice.kind === 'scan' ? 'scan' : { fixed: choice.branch }),
        },
      ),
      fields: fieldList('Fields that are copied, within what the home library shares.'),
      set: key(fixedValues, {
        description:
          "Fixed values of the copies, instead of the home library's. Null removes a value that `defaults` sets.",
        allowed: `{FIELD: text or null} with a field of the groups or ${Object.keys(SETTABLE_FIELDS).join(', ')}`,
        fallback: {},
        isByEntry: true,
      }),
      expiry: key(
        z
          .union([z.enum(['home', 'category']), z.strictObject({ days: z.int().min(1).max(3650) })])
          .transform((expiry) =>
            typeof expiry === 'string'
              ? ({ kind: expiry } as const)
              : ({ kind: 'days', days: expiry.days } as const),
          ),
        {
          description:
            "Expiry date of the copies: the home library's date, Koha's date for the category, or a number of days, but never later than the home library's date.",
          allowed: 'home, category or {days: N} with N from 1 to 3650',
          fallback: 'home',
          print: (choice) => (choice.kind === 'days' ? { days: choice.days } : choice.kind),
        },
      ),
      passportAttribute: key(attributeType, {
        description: "Attribute type that holds the home library's id.",
        allowed: 'an attribute type of 1 to 64 characters',
        fallback: 'PASSPORTED',
      }),
      homeKeyAttribute: key(attributeType.nullable(), {
        description:
          'Unique attribute type that holds the home key. Null: none is written, and a replaced card cannot be recognised.',
        allowed: 'an attribute type of 1 to 64 characters, or null',
        fallback: 'PASSPORTED_ID',
      }),
      consent: words(
        ['none', 'ask'],
        'none',
        "`ask`: nothing is copied before the patron's yes, which the desk reports. A scan at a self-check or over SIP ends as `CONSENT_AT_DESK`.",
      ),
      consentWithinMs: duration(
        '10s',
        '1h',
        '5m',
        'How long a question for consent waits for its answer. Then the event ends as `CONSENT_LAPSED`.',
      ),
      consentText: key(consentText, {
        description:
          'The text that the desk shows to the patron, in one language or by language, and its id, which is kept in the receipt. Give it a new id whenever you change the text. Required with `consent: ask`.',
        allowed: `{id: ID, text: TEXT} or {id: ID, text: {en: TEXT, de: TEXT, ...}}, or null; up to ${LONGEST_TEXT} characters each and ${MOST_IN_ALL} in all`,
        fallback: null,
        standIn: { textId: '', texts: {} },
        print: (text) =>
          text === null ? null : { id: text.textId, text: text.texts[UNDETERMINED] ?? text.texts },
      }),
      onLookAlike: words(
        ['koha', 'stop', 'create'],
        'koha',
        'What to do with a possible duplicate: a patron in Koha with the same name and birth date. `koha`: what Koha itself does, which stops the copy from 25.11 on. `stop`: stop it at every release; before 25.11 that costs one more call for a copy. `create`: create it.',
      ),
    })
    .transform(({ consent, consentWithinMs, consentText: text, set, ...copy }) => {
      const kept = Object.entries(set).filter((entry): entry is [string, string] => entry[1] !== null);
      return {
        ...copy,
        set: Object.fromEntries(kept),
        /** What patrons must agree to before they are copied, in texts by language; null: patrons are copied without it. */
        consent: consent === 'none' || text === null ? null : { ...text, withinMs: consentWithinMs },
      };
    }),
  {
    description: 'How copies are made, as lending library.',
    more: 'Can be set in `defaults`; `set` is merged field by field.',
    check: ({ consent, consentText: text }, report) => {
      if (consent !== 'ask' || text !== null) return;
      report('consentText', 'is missing: copy.consent is ask', '{id: ID, text: TEXT}');
    },
    parts: ({ consent, ...copy }) => ({
      ...copy,
      consent: consent === null ? 'none' : 'ask',
      ...(consent === null ? {} : { consentWithinMs: consent.withinMs, consentText: consent }),
    }),
  },
);

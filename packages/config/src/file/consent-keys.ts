import * as z from 'zod';
import { duration, words } from './leaf-schemas.ts';

/** The language of a text that is there in one language only, whichever that is (BCP 47). */
export const UNDETERMINED = 'und';
const LANGUAGE = /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/;
const MOST_LANGUAGES = 20;

const LONGEST = 2_000;
/** The state of an event carries them all: a plugin reads at most 64 KiB, and a character can take six. */
const MOST_IN_ALL = 8_000;

/** Plain text. */
const lines = z
  .string()
  .min(1)
  .max(LONGEST)
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

/** Keys of the section `copy`. */
export const consentKeys = {
  consent: words(
    ['none', 'ask'],
    "`ask`: nothing is copied before the patron's yes, which the desk reports. A scan at a self-check or over SIP ends as `CONSENT_AT_DESK`.",
  ),
  consent_within: duration(
    '10s',
    '1h',
    'How long a question for consent waits for its answer. Then the event ends as `CONSENT_LAPSED`.',
  ),
  consent_text: z
    .strictObject({
      id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/),
      text: z.union([lines, byLanguage]),
    })
    .nullable()
    .meta({
      description:
        'The text that the desk shows to the patron, in one language or by language, and its id, which is kept in the receipt. Give it a new id whenever you change the text. Required with `consent: ask`.',
      allowed: `{id: ID, text: TEXT} or {id: ID, text: {en: TEXT, de: TEXT, ...}}, or null; up to ${LONGEST} characters each and ${MOST_IN_ALL} in all`,
    }),
};

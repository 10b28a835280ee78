import { REMEMBERED_HOURS } from '@passport/contract';
import * as z from 'zod';
import { cardPattern } from '../cards/card-pattern.ts';
import { categoryFilter } from './category-filter.ts';
import { consentKeys } from './consent-keys.ts';
import { confirmableKey } from './confirmable-key.ts';
import { duration, fieldList, flag, integer, integerOrAuto, kohaCode, title, words } from './leaf-schemas.ts';
import { fixedValues } from './fixed-values.ts';
import { notifyList } from './notify-schema.ts';
import { owedKey, recourseKey } from './owed-key.ts';
import { refreshKey } from './refresh-key.ts';
import { secretSource } from '../secrets/secret-source.ts';
import { userList } from './user-schema.ts';
import { windowsKey } from '../windows/windows-key.ts';

const category = kohaCode(10);
const attributeType = kohaCode(64);
const refuseOrAllow = (fact: string) => words(['refuse', 'allow'], `What to do with a home patron ${fact}.`);

const SECRET_ALLOWED = '{env: NAME} or {file: PATH}; never the secret itself';
const secret = (description: string) => secretSource.meta({ description, allowed: SECRET_ALLOWED });

export const kohaSection = z.strictObject({
  url: z.string().meta({
    description: "Address of the staff or OPAC host; Koha's API is below it at `/api/v1`.",
    allowed:
      'https://HOST[:PORT][/PATH]; http only for loopback, or for a compose service with allow_http: true',
  }),
  allow_http: flag('Allows plain http to a compose service, that is a host name without a dot.'),
  client_id: secret("OAuth2 client id of the service's API user."),
  client_secret: secret('OAuth2 client secret for that id.'),
  timeout: duration('100ms', '20s', 'How long one call may take.'),
  max_in_flight: integerOrAuto(
    1,
    256,
    'Calls at the same time, per worker process. `auto`: as many as its Koha has web workers, by what the plugin says, and at most 8.',
  ),
});

export const limitsSection = z.strictObject({
  events_per_second: integer(
    1,
    100_000,
    'Events per second that are accepted from this library. Beyond that the receiver answers 429.',
  ),
  burst: integer(1, 1_000_000, 'Events that may arrive at once before the rate applies.'),
  backlog: integer(
    1,
    2_000_000,
    'Maximum number of unfinished events. Beyond that the receiver answers 429.',
  ),
  copies_per_hour: integer(1, 10_000_000, 'Copies made for this library. Beyond that, jobs wait.'),
  misses_per_hour: integer(
    1,
    10_000_000,
    'Cards that no library knows. Beyond that, jobs wait, because somebody may be guessing.',
  ),
  verdicts_per_hour: integer(
    1,
    10_000_000,
    'Patrons who are found but not copied (not eligible, several homes, ...). Their outcome also reveals something about them. Beyond that, jobs wait.',
  ),
  refreshes_per_hour: integer(
    1,
    10_000_000,
    'Copies at this library that get new values of their home records. Beyond that, a refresh waits.',
  ),
  kept_finished: integer(
    100,
    10_000_000,
    'Finished events kept for this library, within retention.finished. Beyond that, the oldest are removed.',
  ),
  kept_failed: integer(
    100,
    10_000_000,
    'Failed events kept for this library, within retention.failed. Beyond that, the oldest are removed; an alert fires before.',
  ),
  remembered: integer(
    1_000,
    100_000_000,
    `Event ids remembered for this library, so that a redelivery is recognised for ${REMEMBERED_HOURS} hours. Beyond that, the oldest are forgotten.`,
  ),
});

export const shareSection = z.strictObject({
  fields: fieldList('Fields that may leave this library as home library, whoever requests them.'),
  categories: categoryFilter('Patron categories that are shared.'),
  opt_out_attribute: attributeType.nullable().meta({
    description: 'A patron who has this attribute is not shared.',
    allowed: 'an attribute type of 1 to 64 characters, or null',
  }),
});

export const copySection = z.strictObject({
  mode: words(
    ['copy', 'observe'],
    'Observe: nothing is written in this library, and nothing is checked out; the desk, the statistics and the receipts show what would have been done. For the first weeks of a member.',
  ),
  category: z
    .union([
      category,
      z.strictObject({ by_home_category: z.record(category, category), otherwise: category.nullish() }),
    ])
    .meta({
      description: 'Patron category of the copies. Required for every lending library.',
      allowed:
        'a category of 1 to 10 characters, or {by_home_category: {HOME: CATEGORY, ...}, otherwise: CATEGORY}',
    }),
  former_categories: z.array(category).nullable().meta({
    description:
      "Other categories that copies may have: from an earlier configuration, or after a manual change. A record with a home key in any other category counts as one of the library's own patrons, into which a copy was merged.",
    allowed: 'a list of categories of 1 to 10 characters',
  }),
  branch: z.union([z.literal('scan'), z.strictObject({ fixed: category })]).meta({
    description: 'Branch of the copies: the branch of the scan, or a fixed one.',
    allowed: 'scan or {fixed: BRANCH}',
  }),
  fields: fieldList('Fields that are copied, within what the home library shares.'),
  set: fixedValues,
  expiry: z.union([z.enum(['home', 'category']), z.strictObject({ days: z.int().min(1).max(3650) })]).meta({
    description:
      "Expiry date of the copies: the home library's date, Koha's date for the category, or a number of days, but never later than the home library's date.",
    allowed: 'home, category or {days: N} with N from 1 to 3650',
  }),
  passport_attribute: attributeType.meta({
    description: "Attribute type that holds the home library's id.",
    allowed: 'an attribute type of 1 to 64 characters',
  }),
  home_key_attribute: attributeType.nullable().meta({
    description:
      'Unique attribute type that holds the home key. Null: none is written, and a replaced card cannot be recognised.',
    allowed: 'an attribute type of 1 to 64 characters, or null',
  }),
  ...consentKeys,
  on_look_alike: words(
    ['koha', 'stop', 'create'],
    'What to do with a possible duplicate: a patron in Koha with the same name and birth date. `koha`: what Koha itself does, which stops the copy from 25.11 on. `stop`: stop it at every release; before 25.11 that costs one more call for a copy. `create`: create it.',
  ),
});

export const eligibilitySection = z.strictObject({
  expired: refuseOrAllow('whose card has expired'),
  restricted: refuseOrAllow('who is restricted'),
  card_lost: refuseOrAllow('whose card is reported lost'),
  address_unconfirmed: refuseOrAllow('whose address must be confirmed'),
  max_debt: z.number().min(0).max(1_000_000).nullable().meta({
    description: 'Maximum debt at the home library, in its currency. Null: not checked.',
    allowed: 'a number from 0 to 1000000, or null',
  }),
  min_age: z.int().min(1).max(120).nullable().meta({
    description: 'Minimum age in years on the day of the scan. Null: not checked.',
    allowed: 'a whole number from 1 to 120, or null',
  }),
  show_reasons: flag('False: the desk sees only that the patron is not eligible.'),
});

export const retrySection = z.strictObject({
  tell_koha: flag(
    'Report each state of an event to the plugin in Koha. Set it to false if the plugin is not installed.',
  ),
  checkout: flag('Check out the waiting item if the event contains one.'),
  checkout_within: duration(
    '1s',
    '1h',
    'Nothing is checked out later than this after the scan, or after the patron has agreed (`copy.consent`).',
  ),
  confirm: z.array(confirmableKey).nullable().meta({
    description: "Koha's confirmations at checkout that are given without staff.",
    allowed: "a list of Koha's upper-case keys such as RENTALCHARGE",
  }),
  give_up_after: duration('1s', '7d', 'Age at which an unfinished event ends as a failure.'),
});

/** Sections that `defaults` may fill for every library, key by key. */
export const DEFAULTED_SECTIONS = {
  koha: kohaSection,
  limits: limitsSection,
  copy: copySection,
  eligibility: eligibilitySection,
  retry: retrySection,
} as const;

const section = (description: string) =>
  z.unknown().meta({ description, allowed: 'a section of its own, see below' });

export const librarySchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?$/)
    .meta({
      description: "Permanent id of the library. It is the passport's value in every copy: never change it.",
      allowed: '1 to 40 letters, digits, _ and -, with a letter or digit at both ends',
    }),
  name: title('Name shown to staff. May change.'),
  enabled: flag('False: the library is shut out, neither queried nor served.'),
  koha: section("How to reach the library's Koha."),
  webhook_secrets: z
    .array(secretSource)
    .nullable()
    .meta({
      description: 'Secrets that sign its events. Any of them may verify. None: home library only.',
      allowed: `a list of ${SECRET_ALLOWED}; each is whsec_ and base64 of 24 to 64 bytes`,
    }),
  limits: section('Rate and volume limits.'),
  cards: z.array(cardPattern).nullable().meta({
    description:
      'Regular expressions (JavaScript, u flag) that its card numbers match. None: it is queried for every card.',
    allowed: 'a list of regular expressions such as ^21234\\d{9}$',
  }),
  share: section('What is shared, as home library.'),
  copy: section('How copies are made, as lending library.'),
  eligibility: section('Who may borrow, as lending library.'),
  retry: section('What happens after the copy, as lending library.'),
  refresh: refreshKey,
  owed: owedKey,
  windows: windowsKey,
});

export const agreementSchema = z.strictObject({
  home: z.string().meta({ description: 'Id of the home library.', allowed: 'the id of a library' }),
  lending: z.string().meta({ description: 'Id of the lending library.', allowed: 'the id of a library' }),
  fields: fieldList('Fields that may be copied under this agreement. Omitted: no further restriction.'),
  categories: categoryFilter('Home patron categories that the agreement covers.'),
  recourse: recourseKey,
});

export const fileSchema = z.strictObject({
  consortium: title("The consortium's name."),
  locate: section('How home libraries are looked up.'),
  retention: section('How long data is kept.'),
  defaults: section('Default values for any key of the sections koha, limits, copy, eligibility and retry.'),
  libraries: z
    .array(z.unknown())
    .nullable()
    .meta({ description: 'The libraries.', allowed: 'a list of libraries' }),
  agreements: z.union([z.literal('all'), z.array(z.unknown())]).meta({
    description: 'Which libraries share patrons: all with all, or a list of pairs, one per direction.',
    allowed: 'all, or a list of {home, lending, fields, categories, recourse}',
  }),
  users: userList,
  notify: notifyList,
});

import { z } from 'zod';
import { cardPattern } from './card-pattern.ts';
import { confirmableKey } from './confirmable-key.ts';
import { duration, fieldList, flag, integer, kohaCode, title, words } from './leaf-schemas.ts';
import { fixedValues } from './fixed-values.ts';

const category = kohaCode(10);
const attributeType = kohaCode(64);
const refuseOrAllow = (fact: string) => words(['refuse', 'allow'], `What becomes of a home patron ${fact}.`);

const SECRET_ALLOWED = '{env: NAME} or {file: PATH}; the secret itself never stands in this file';
const secretSource = z.union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })]);
const secret = (description: string) => secretSource.meta({ description, allowed: SECRET_ALLOWED });

/** Where a secret is to be found. */
export type SecretSource = z.output<typeof secretSource>;

const categoryFilter = (description: string) =>
  z
    .union([
      z.literal('all'),
      z.strictObject({ only: z.array(category) }),
      z.strictObject({ except: z.array(category) }),
    ])
    .meta({ description, allowed: 'all, {only: [CATEGORY, ...]} or {except: [CATEGORY, ...]}' });

export const kohaSection = z.strictObject({
  url: z.string().meta({
    description: "Address of the staff or OPAC host; Koha's API is below it at `/api/v1`.",
    allowed:
      'https://HOST[:PORT][/PATH]; http only for loopback, or for a compose service with allow_http: true',
  }),
  allow_http: flag('Plain http to a compose service, that is to a host name without a dot.'),
  client_id: secret("OAuth2 client id of the service's API user."),
  client_secret: secret('OAuth2 client secret that belongs to it.'),
  timeout: duration('100ms', '20s', 'How long one call may take.'),
  max_in_flight: integer(1, 256, 'Calls at the same time, per worker process.'),
});

export const limitsSection = z.strictObject({
  events_per_second: integer(
    1,
    100_000,
    'Events taken from this library; beyond it the receiver answers 429.',
  ),
  burst: integer(1, 1_000_000, 'Events that may come at once before the rate counts.'),
  backlog: integer(1, 2_000_000, 'Unfinished events; beyond it the receiver answers 429.'),
  copies_per_hour: integer(1, 10_000_000, 'Copies made for this library; beyond it jobs wait.'),
  misses_per_hour: integer(
    1,
    10_000_000,
    'Cards nobody knows; beyond it jobs wait, as somebody may be guessing.',
  ),
  verdicts_per_hour: integer(
    1,
    10_000_000,
    'Patrons of whom only a verdict is given (not eligible, several homes, ...), which says something of them too; beyond it jobs wait.',
  ),
  kept_finished: integer(
    100,
    10_000_000,
    'Finished events kept of this library, within retention.finished; beyond it the oldest go.',
  ),
  kept_failed: integer(
    100,
    10_000_000,
    'Failed events kept of this library for a person, within retention.failed; beyond it the oldest go, and an alert fires before.',
  ),
  remembered: integer(
    1_000,
    100_000_000,
    'Ids of events remembered of this library, so that a redelivery is known for 80 hours; beyond it the oldest are forgotten.',
  ),
});

export const shareSection = z.strictObject({
  fields: fieldList('What may leave this library as home library, whoever asks.'),
  categories: categoryFilter('Patron categories that are shared.'),
  opt_out_attribute: attributeType.nullable().meta({
    description: 'A patron who has this attribute is not shared.',
    allowed: 'an attribute type of 1 to 64 characters, or null',
  }),
});

export const copySection = z.strictObject({
  category: z
    .union([
      category,
      z.strictObject({ by_home_category: z.record(category, category), otherwise: category.nullish() }),
    ])
    .meta({
      description: 'Patron category of the copies. Needed by every library that lends.',
      allowed:
        'a category of 1 to 10 characters, or {by_home_category: {HOME: CATEGORY, ...}, otherwise: CATEGORY}',
    }),
  former_categories: z.array(category).nullable().meta({
    description:
      'Categories that copies were given before, or are moved to by hand. A record with a home key in any other category is taken for a patron of the library’s own that a copy was merged into.',
    allowed: 'a list of categories of 1 to 10 characters',
  }),
  branch: z.union([z.literal('scan'), z.strictObject({ fixed: category })]).meta({
    description: 'Branch of the copies: where the card was scanned, or always the same.',
    allowed: 'scan or {fixed: BRANCH}',
  }),
  fields: fieldList('What is copied, within what the home library shares.'),
  set: fixedValues,
  expiry: z.union([z.enum(['home', 'category']), z.strictObject({ days: z.int().min(1).max(3650) })]).meta({
    description:
      "Expiry date of the copies: the home library's, by Koha from the category, or so many days and never later than home's.",
    allowed: 'home, category or {days: N} with N from 1 to 3650',
  }),
  passport_attribute: attributeType.meta({
    description: "Attribute type that holds the home library's id.",
    allowed: 'an attribute type of 1 to 64 characters',
  }),
  home_key_attribute: attributeType.nullable().meta({
    description:
      'Unique attribute type that holds the home key; null: not written, and a replaced card cannot be recognised.',
    allowed: 'an attribute type of 1 to 64 characters, or null',
  }),
  on_look_alike: words(
    ['stop', 'create'],
    'What to do when Koha knows somebody of that name and birth date.',
  ),
});

export const eligibilitySection = z.strictObject({
  expired: refuseOrAllow('whose membership has expired'),
  restricted: refuseOrAllow('who is restricted'),
  card_lost: refuseOrAllow('whose card is reported lost'),
  address_unconfirmed: refuseOrAllow('whose address must be confirmed'),
  max_debt: z.number().min(0).max(1_000_000).nullable().meta({
    description: 'Most that may be owed at home, in its currency; null: not asked.',
    allowed: 'a number from 0 to 1000000, or null',
  }),
  min_age: z.int().min(1).max(120).nullable().meta({
    description: 'Least age in years on the day of the scan; null: not asked.',
    allowed: 'a whole number from 1 to 120, or null',
  }),
  show_reasons: flag('False: the desk sees only that the patron is not eligible.'),
});

export const retrySection = z.strictObject({
  tell_koha: flag('Tell the plugin in Koha each state of an event; false where the plugin is not installed.'),
  checkout: flag('Lend the waiting item when the event names one.'),
  checkout_within: duration('1s', '1h', 'Nothing is lent later than this after the scan.'),
  confirm: z.array(confirmableKey).nullable().meta({
    description: "Koha's questions at checkout that are answered yes without a person.",
    allowed: "a list of Koha's upper-case keys such as RENTALCHARGE",
  }),
  give_up_after: duration('1s', '7d', 'An event that is older than this ends as a failure.'),
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
      description: "Stable name of the library; becomes the passport's value, so never change it.",
      allowed: '1 to 40 letters, digits, _ and -, with a letter or digit at both ends',
    }),
  name: title('Shown to staff; may change.'),
  enabled: flag('False: paused, neither asked nor served.'),
  koha: section("How to reach the library's Koha."),
  webhook_secrets: z
    .array(secretSource)
    .nullable()
    .meta({
      description: 'Secrets that sign its events, any of which may verify; none: home only.',
      allowed: `a list of ${SECRET_ALLOWED}; each is whsec_ and base64 of 24 to 64 bytes`,
    }),
  limits: section('How much it may ask for.'),
  cards: z.array(cardPattern).nullable().meta({
    description:
      'Regular expressions (JavaScript, with the u flag) that its card numbers match; none: asked for every card.',
    allowed: 'a list of regular expressions such as ^21234\\d{9}$',
  }),
  share: section("The home library's say."),
  copy: section('How copies are made, as lending library.'),
  eligibility: section('Who may borrow, as lending library.'),
  retry: section('What happens after the copy, as lending library.'),
});

export const locateSection = z.strictObject({
  strict: flag('True: with one match, wait also for the libraries that did not answer.'),
  patterns_decide: flag(
    'True: the libraries whose card patterns fit are asked first, and those without patterns only when all of them have answered that they have nobody. Only where no two libraries share a number range.',
  ),
});

export const retentionSection = z.strictObject({
  finished: duration('1s', '90d', 'How long finished events are kept.'),
  failed: duration('1s', '90d', 'How long failed events are kept for a person.'),
  receipts: duration('1h', '3650d', 'How long it is kept who was copied where.'),
});

export const agreementSchema = z.strictObject({
  home: z.string().meta({ description: 'Id of the home library.', allowed: 'the id of a library' }),
  lending: z.string().meta({ description: 'Id of the lending library.', allowed: 'the id of a library' }),
  fields: fieldList('What may be copied under this agreement; left out: no further narrowing.'),
  categories: categoryFilter('Home patron categories that it covers.'),
});

export const fileSchema = z.strictObject({
  consortium: title("The consortium's name."),
  locate: section('How homes are looked for.'),
  retention: section('How long things are kept.'),
  defaults: section(
    'Any key of the sections koha, limits, copy, eligibility and retry, for every library that does not say otherwise.',
  ),
  libraries: z
    .array(z.unknown())
    .nullable()
    .meta({ description: 'The libraries.', allowed: 'a list of libraries' }),
  agreements: z.union([z.literal('all'), z.array(z.unknown())]).meta({
    description:
      'Who shares patrons with whom: everybody with everybody, or a list of pairs, one direction each.',
    allowed: 'all, or a list of {home, lending, fields, categories}',
  }),
});

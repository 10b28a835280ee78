import { REMEMBERED_HOURS, SET_UP_FINDINGS, type SoftReason, isSetUpFinding } from '@passport/contract';
import * as z from 'zod';
import { cardForm, printForm } from '../cards/card-form.ts';
import { Secret } from '../secrets/secret.ts';
import { windowsKey } from '../windows/windows-key.ts';
import { confirmableKey } from './confirmable-key.ts';
import { copySection } from './copy-schema.ts';
import { durationBetween, formatDuration } from '../keys/duration.ts';
import type { Frozen } from '../keys/frozen.ts';
import { key, section } from '../keys/key.ts';
import {
  categoryFilter,
  duration,
  fieldList,
  flag,
  integer,
  kohaCode,
  list,
  parseTime,
  printTime,
  SECRET_ALLOWED,
  secretSource,
  timeOfDay,
  title,
  words,
} from '../keys/kinds.ts';
import { isHttpAllowed, kohaAddress } from './koha-url.ts';

const NOT_READ = new Secret('');
/** YAML 1.1 makes false of the word. */
const off = z.literal(['off', false]);
const IN_DEFAULTS = 'Can be set in `defaults`.';
const MOST_PER_HOUR = 10_000_000;
/** Each card is tried against all of them, and all numbers that come of it go into one call. */
const MOST_CARD_FORMS = 100;
const kohaSecret = (description: string) =>
  key(secretSource('koha'), { description, allowed: SECRET_ALLOWED, isRequired: true, absent: NOT_READ });
const refuseOrAllow = (fact: string) =>
  words(['refuse', 'allow'], 'refuse', `What to do with a home patron ${fact}.`);

const libraryId = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?$/);
const libraryName = title({ description: 'Name shown to staff. May change.' });

/** What is wrong with the id or the name of a library that is to be; null: nothing. */
export function faultOfNewLibrary(id: string, name: string): string | null {
  if (!libraryId.safeParse(id).success)
    return 'the id must have 1 to 40 letters, digits, _ and -, with a letter or digit at both ends';
  return libraryName.safeParse(name).success
    ? null
    : 'the name must be text of 1 to 100 characters, on one line, without bidi controls';
}

const kohaSection = section(
  z
    .strictObject({
      /** Without a slash at its end; `/api/v1` goes behind it. */
      url: key(kohaAddress, {
        description: "Address of the staff or OPAC host; Koha's API is below it at `/api/v1`.",
        allowed:
          'https://HOST[:PORT][/PATH]; http only for loopback, or for a compose service with allow_http: true',
        isRequired: true,
        absent: '',
      }),
      staffUrl: key(kohaAddress.nullable(), {
        description:
          'Address of the staff interface, which lists of findings link to. Nothing is called there. Null: no links.',
        allowed: 'https://HOST[:PORT][/PATH], or null',
        fallback: null,
      }),
      allowHttp: flag(false, 'Allows plain http to a compose service, that is a host name without a dot.'),
      clientId: kohaSecret("OAuth2 client id of the service's API user."),
      clientSecret: kohaSecret('OAuth2 client secret for that id.'),
      timeoutMs: duration('100ms', '20s', '3s', 'How long one call may take.'),
      maxInFlight: key(z.union([z.literal('auto'), z.int().min(1).max(256)]), {
        description:
          'Calls at the same time, per worker process. `auto`: as many as its Koha has web workers, by what the plugin says, and at most 8.',
        allowed: 'auto, or a whole number from 1 to 256',
        fallback: 'auto',
      }),
    })
    .transform(({ allowHttp: _none, ...koha }) => koha),
  {
    description: "How to reach the library's Koha.",
    more: IN_DEFAULTS,
    check: ({ url, allowHttp }, report) => {
      if (url === '' || isHttpAllowed(url, allowHttp)) return;
      report('url', 'is plain http: patron data would travel unprotected');
    },
  },
);

const limitsSection = section(
  z.strictObject({
    eventsPerSecond: integer(
      1,
      100_000,
      50,
      'Events per second that are accepted from this library. Beyond that the receiver answers 429.',
    ),
    burst: integer(1, 1_000_000, 200, 'Events that may arrive at once before the rate applies.'),
    backlog: integer(
      1,
      2_000_000,
      10_000,
      'Maximum number of unfinished events. Beyond that the receiver answers 429.',
    ),
    copiesPerHour: integer(1, MOST_PER_HOUR, 500, 'Copies made for this library. Beyond that, jobs wait.'),
    missesPerHour: integer(
      1,
      MOST_PER_HOUR,
      1000,
      'Cards that no library knows. Beyond that, jobs wait, because somebody may be guessing.',
    ),
    verdictsPerHour: integer(
      1,
      MOST_PER_HOUR,
      500,
      'Patrons who are found but not copied (not eligible, several homes, ...). Their outcome also reveals something about them. Beyond that, jobs wait.',
    ),
    refreshesPerHour: integer(
      1,
      MOST_PER_HOUR,
      1000,
      'Copies at this library that get new values of their home records. Beyond that, a refresh waits.',
    ),
    keptFinished: integer(
      100,
      10_000_000,
      20_000,
      'Finished events kept for this library, within retention.finished. Beyond that, the oldest are removed.',
    ),
    keptFailed: integer(
      100,
      10_000_000,
      5_000,
      'Failed events kept for this library, within retention.failed. Beyond that, the oldest are removed; an alert fires before.',
    ),
    remembered: integer(
      1_000,
      100_000_000,
      100_000,
      `Event ids remembered for this library, so that a redelivery is recognised for ${REMEMBERED_HOURS} hours. Beyond that, the oldest are forgotten.`,
    ),
  }),
  { description: 'Rate and volume limits.', more: IN_DEFAULTS },
);

const shareSection = section(
  z.strictObject({
    fields: fieldList('Fields that may leave this library as home library, whoever requests them.'),
    categories: categoryFilter('Patron categories that are shared.'),
    optOutAttribute: key(kohaCode(64).nullable(), {
      description: 'A patron who has this attribute is not shared.',
      allowed: 'an attribute type of 1 to 64 characters, or null',
      fallback: null,
    }),
    restrictionComments: flag(
      false,
      'Whether a restriction that is carried into a copy (`eligibility.restricted: allow`) takes along what staff have noted of it here.',
    ),
  }),
  {
    description: 'What is shared, as home library.',
    more: 'Cannot be set in `defaults`: each library decides this for itself.',
  },
);

/** The rules that are the lending library's own; all others say what home has decided of its patron, or what the two have agreed. */
const SOFT_RULES = {
  address_unconfirmed: { reason: 'ADDRESS_UNCONFIRMED', key: 'addressUnconfirmed', off: 'allow' },
  max_debt: { reason: 'DEBT_OVER_LIMIT', key: 'maxDebt', off: null },
  min_age: { reason: 'UNDER_AGE', key: 'minAge', off: null },
} as const satisfies Readonly<
  Record<string, { readonly reason: SoftReason; key: string; off: 'allow' | null }>
>;
type SoftRule = keyof typeof SOFT_RULES;
const softRules = Object.keys(SOFT_RULES) as SoftRule[];

const overrideKey = key(
  z
    .union([
      off,
      z.strictObject({
        soft: z.array(z.enum(softRules)).min(1),
        for: durationBetween('1d', '3660d').default(30 * 24 * 3_600_000),
      }),
    ])
    .transform((override) =>
      typeof override !== 'object'
        ? null
        : {
            soft: [...new Set(override.soft)],
            /** The reasons that staff may override. */
            reasons: softRules
              .filter((rule) => override.soft.includes(rule))
              .map((rule) => SOFT_RULES[rule].reason),
            forMs: override.for,
          },
    ),
  {
    description:
      "Which of these rules staff with Koha's permission `force_checkout` may override at the desk, with a reason from a list, as lending library. `soft`: the rules; what home says of its patron, and what the two libraries have agreed, cannot be overridden. `for`: for so long a copy that was made so is in good standing in spite of the rule (`standing`).",
    allowed:
      'off or {soft: [address_unconfirmed, max_debt, min_age], for: 30d}; `soft` names rules that refuse somebody, `for` is from 1d to 3660d',
    fallback: 'off',
    print: (override) =>
      override === null ? 'off' : { soft: override.soft, for: formatDuration(override.forMs) },
  },
);

const eligibilitySection = section(
  z.strictObject({
    expired: refuseOrAllow('whose card has expired'),
    restricted: words(
      ['refuse', 'allow'],
      'refuse',
      'What to do with a home patron who is restricted. `allow`: the copy is made with that restriction, type and end, and follows it at visits and sweeps (`refresh`). It needs the plugin.',
    ),
    cardLost: refuseOrAllow('whose card is reported lost'),
    addressUnconfirmed: refuseOrAllow('whose address must be confirmed'),
    maxDebt: key(z.number().min(0).max(1_000_000).nullable(), {
      description: 'Maximum debt at the home library, in its currency. Null: not checked.',
      allowed: 'a number from 0 to 1000000, or null',
      fallback: null,
    }),
    minAge: key(z.int().min(1).max(120).nullable(), {
      description: 'Minimum age in years on the day of the scan. Null: not checked.',
      allowed: 'a whole number from 1 to 120, or null',
      fallback: null,
    }),
    showReasons: flag(true, 'False: the desk sees only that the patron is not eligible.'),
    override: overrideKey,
  }),
  {
    description: 'Who may borrow, as lending library.',
    more: IN_DEFAULTS,
    check: ({ override, showReasons, ...rules }, report) => {
      if (override === null) return;
      const none = override.soft.find((rule) => rules[SOFT_RULES[rule].key] === SOFT_RULES[rule].off);
      if (none !== undefined) report('override', `names ${none}, which refuses nobody here`);
      if (!showReasons) report('override', 'needs show_reasons: nobody overrides what they are not shown');
    },
  },
);

const retrySection = section(
  z.strictObject({
    tellKoha: flag(
      true,
      'Report each state of an event to the plugin in Koha. Set it to false if the plugin is not installed.',
    ),
    checkout: flag(true, 'Check out the waiting item if the event contains one.'),
    checkoutWithinMs: duration(
      '1s',
      '1h',
      '90s',
      'Nothing is checked out later than this after the scan, or after the patron has agreed (`copy.consent`).',
    ),
    confirm: key(list(confirmableKey), {
      description: "Koha's confirmations at checkout that are given without staff.",
      allowed: "a list of Koha's upper-case keys such as RENTALCHARGE",
      fallback: [],
    }),
    giveUpAfterMs: duration('1s', '7d', '15m', 'Age at which an unfinished event ends as a failure.'),
  }),
  { description: 'What happens after the copy, as lending library.', more: IN_DEFAULTS },
);

const applyOrReport = z.enum(['apply', 'report']);
const applied = (isApplied: boolean) => (isApplied ? 'apply' : 'report');
const refreshKey = key(
  z
    .union([
      off,
      z.strictObject({
        sweep: timeOfDay.optional(),
        at_scan: z.boolean().default(false),
        card: applyOrReport.default('apply'),
        expiry: applyOrReport.default('apply'),
        category: applyOrReport.default('report'),
        restricted: applyOrReport.default('report'),
        card_lost: applyOrReport.default('report'),
      }),
    ])
    .transform((refresh) => {
      if (typeof refresh !== 'object') return null;
      return {
        /** In the worker's time zone; null: never as a whole. */
        sweep: refresh.sweep === undefined ? null : parseTime(refresh.sweep),
        /** Each copy that is scanned, too, once a day at most. */
        atScan: refresh.at_scan,
        /** Which changes at home a copy follows; the others are reported only. */
        applies: {
          card: refresh.card === 'apply',
          expiry: refresh.expiry === 'apply',
          category: refresh.category === 'apply',
          restricted: refresh.restricted === 'apply',
          cardLost: refresh.card_lost === 'apply',
        },
      };
    }),
  {
    description:
      "Whether copies follow their home records, as lending library. `sweep`: at this time of day (of the worker's time zone) what changed at home is written into the fields that nobody edited here; `at_scan: true`: so it is when a copy is scanned, beside the scan and once a day at most. `card`, `expiry`, `category`, `restricted` and `card_lost` say whether such a change at home is applied, or reported only; without them card and expiry are applied, and a restriction with `eligibility.restricted: allow`. It needs the plugin and `copy.home_key_attribute`.",
    allowed:
      'off or {sweep: "HH:MM", at_scan: true, card: apply, expiry: apply, category: report, restricted: report, card_lost: report}; `sweep` or `at_scan` is required',
    fallback: 'off',
    print: (refresh) =>
      refresh === null
        ? 'off'
        : {
            ...(refresh.sweep === null ? {} : { sweep: printTime(refresh.sweep) }),
            at_scan: refresh.atScan,
            card: applied(refresh.applies.card),
            expiry: applied(refresh.applies.expiry),
            category: applied(refresh.applies.category),
            restricted: applied(refresh.applies.restricted),
            card_lost: applied(refresh.applies.cardLost),
          },
  },
);

const standingKey = key(
  z.union([off, z.enum(['report', 'restrict'])]).transform((mode) => (mode === false ? 'off' : mode)),
  {
    description:
      "Whether the patron of a copy is held against `eligibility` again at each visit (`refresh.at_scan`) and in the sweep (`refresh.sweep`), as lending library. `report`: the desk sees on the copy's checkout page whether the patron is in good standing at home, and why not. `restrict`: the copy is restricted as well for as long as the patron is not, with the reasons as codes. Where `copy.consent` is `ask` it is reported only. It needs `refresh`.",
    allowed: 'report, restrict or off',
    fallback: 'off',
  },
);

const owedKey = key(
  z
    .union([off, z.strictObject({ read: timeOfDay })])
    .transform((owed) => (typeof owed === 'object' ? { read: parseTime(owed.read) } : null)),
  {
    description:
      "Whether the home libraries get to know, as lending library, how many checkouts of their patrons' copies are overdue and what is owed, in numbers. Read once a day at this time (of the worker's time zone). It needs the plugin and `copy.home_key_attribute`.",
    allowed: 'off or {read: "HH:MM"}',
    fallback: 'off',
    print: (owed) => (owed === null ? 'off' : { read: printTime(owed.read) }),
  },
);

const loansKey = key(
  z
    .union([off, z.strictObject({ count: timeOfDay })])
    .transform((loans) => (typeof loans === 'object' ? { count: parseTime(loans.count) } : null)),
  {
    description:
      "Whether checkouts, renewals and returns of copies are counted, as lending library, by home library, branch and month, without persons. Counted once a day at this time (of the worker's time zone), up to the day before. It needs the plugin.",
    allowed: 'off or {count: "HH:MM"}',
    fallback: 'off',
    print: (loans) => (loans === null ? 'off' : { count: printTime(loans.count) }),
  },
);

const setUpFindings = Object.keys(SET_UP_FINDINGS).filter(isSetUpFinding);

/** One entry of `libraries`: one Koha installation. */
export const librarySchema = section(
  z.strictObject({
    id: key(libraryId, {
      description: "Permanent id of the library. It is the passport's value in every copy: never change it.",
      allowed: '1 to 40 letters, digits, _ and -, with a letter or digit at both ends',
      isRequired: true,
      absent: '',
    }),
    name: libraryName,
    /** One that is not enabled stands in no agreement. */
    enabled: flag(true, 'False: the library is shut out, neither queried nor served.'),
    koha: kohaSection,
    /** Empty: home only. Each is the whole `whsec_...` text. */
    webhookSecrets: key(list(secretSource('webhook')), {
      description: 'Secrets that sign its events. Any of them may verify. None: home library only.',
      allowed: `a list of ${SECRET_ALLOWED}; each is whsec_ and base64 of 24 to 64 bytes`,
      fallback: [],
      standIn: [NOT_READ],
    }),
    limits: limitsSection,
    /** Empty: queried for every card. */
    cards: key(list(cardForm, MOST_CARD_FORMS), {
      description:
        'What its cards look like: regular expressions (JavaScript, u flag) that the numbers in its Koha match, and other forms in which they are scanned, with the number that each becomes ([above](#other-forms-of-a-card)). None: it is queried for every card.',
      allowed:
        'a list of regular expressions such as ^21234\\d{9}$, or {scanned: ^(\\d{9})$, number: 21234$1, check_digit: mod10}',
      fallback: [],
      print: (forms) => forms.map(printForm),
    }),
    /** Of two libraries both must say it. */
    cardsSharedWith: key(list(libraryId), {
      description:
        'Libraries whose patterns may fit cards that its own fit, too. Each of them must name this one. Desks then choose where both know a card. It may name a library that has yet to join.',
      allowed: 'a list of ids of libraries',
      fallback: [],
    }),
    share: shareSection,
    copy: copySection,
    eligibility: eligibilitySection,
    retry: retrySection,
    refresh: refreshKey,
    standing: standingKey,
    owed: owedKey,
    loans: loansKey,
    windows: windowsKey,
    ignoreFindings: key(list(z.enum(setUpFindings)), {
      description:
        'What the check of its set-up finds and is intended: neither `passport doctor` nor the nightly check reports it.',
      allowed: 'a list of codes that `passport doctor` prints, such as enrolment_fee',
      fallback: [],
    }),
  }),
  { description: 'One entry of `libraries`: one Koha installation.' },
);

/** Sections that `defaults` may fill for every library, key by key. */
export const defaultsSchema = librarySchema.pick({
  koha: true,
  limits: true,
  copy: true,
  eligibility: true,
  retry: true,
});

export type Library = Frozen<z.output<typeof librarySchema>>;
export type CopyPolicy = Library['copy'];
export type CategoryChoice = NonNullable<CopyPolicy['category']>;
export type ExpiryChoice = CopyPolicy['expiry'];
export type CategoryFilter = Library['share']['categories'];
/** Whom a lending library accepts. */
export type Eligibility = Library['eligibility'];
/** Which changes at home a copy follows; the others are reported only. */
export type AppliedChanges = NonNullable<Library['refresh']>['applies'];

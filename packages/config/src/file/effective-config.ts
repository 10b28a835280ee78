import { Document, isScalar, visit } from 'yaml';
import { UNDETERMINED } from './consent-keys.ts';
import { formatDuration } from './duration.ts';
import { snakeKeys } from './key-case.ts';
import type {
  CategoryChoice,
  CategoryFilter,
  Consortium,
  CopyPolicy,
  Library,
  NotifiedEndpoint,
  User,
} from './model.ts';
import { IN_FILE } from './read-notify.ts';
import type { Secret } from '../secrets/secret.ts';
import { DAYS, type PlannedWindow } from '../windows/windows-key.ts';

/** Something that prints: text, numbers, lists and mappings, without secrets. */
export type Printable =
  string | number | boolean | null | readonly Printable[] | { readonly [key: string]: Printable };

const printSecret = (secret: Secret<string>): Printable => `[secret from ${secret.source}]`;

function printFilter(filter: CategoryFilter): Printable {
  switch (filter.kind) {
    case 'all':
      return 'all';
    case 'only':
      return { only: filter.categories };
    case 'except':
      return { except: filter.categories };
    default:
      return filter satisfies never;
  }
}

function printCategory(choice: CategoryChoice): Printable {
  if (choice.kind === 'one') return choice.category;
  return { by_home_category: choice.map, otherwise: choice.otherwise };
}

function printConsent(consent: CopyPolicy['consent']): { readonly [key: string]: Printable } {
  if (consent === null) return { consent: 'none' };
  const { textId, texts, withinMs } = consent;
  const text = texts[UNDETERMINED] ?? texts;
  return {
    consent: 'ask',
    consent_within: formatDuration(withinMs),
    consent_text: { id: textId, text },
  };
}

function printCopy(copy: CopyPolicy): Printable {
  return {
    mode: copy.mode,
    ...(copy.category === null ? {} : { category: printCategory(copy.category) }),
    former_categories: copy.formerCategories,
    branch: copy.branch.kind === 'scan' ? 'scan' : { fixed: copy.branch.branch },
    fields: copy.fields,
    set: copy.set,
    expiry: copy.expiry.kind === 'days' ? { days: copy.expiry.days } : copy.expiry.kind,
    passport_attribute: copy.passportAttribute,
    home_key_attribute: copy.homeKeyAttribute,
    ...printConsent(copy.consent),
    on_look_alike: copy.onLookAlike,
  };
}

function printLibrary(library: Library): Printable {
  const { koha, limits, share, eligibility, retry } = library;
  return {
    id: library.id,
    name: library.name,
    enabled: library.enabled,
    koha: {
      url: koha.url,
      client_id: printSecret(koha.clientId),
      client_secret: printSecret(koha.clientSecret),
      timeout: formatDuration(koha.timeoutMs),
      max_in_flight: koha.maxInFlight,
    },
    webhook_secrets: library.webhookSecrets.map(printSecret),
    limits: snakeKeys(limits),
    cards: library.cards.map(({ source }) => source),
    share: {
      fields: share.fields,
      categories: printFilter(share.categories),
      opt_out_attribute: share.optOutAttribute,
    },
    copy: printCopy(library.copy),
    eligibility: snakeKeys(eligibility),
    retry: {
      tell_koha: retry.tellKoha,
      checkout: retry.checkout,
      checkout_within: formatDuration(retry.checkoutWithinMs),
      confirm: retry.confirm,
      give_up_after: formatDuration(retry.giveUpAfterMs),
    },
    refresh: printRefresh(library.refresh),
    owed: library.owed === null ? 'off' : { read: printTime(library.owed.read) },
    windows: library.windows.map(printWindow),
  };
}

function printRefresh(refresh: Library['refresh']): Printable {
  if (refresh === null) return 'off';
  const { sweep, atScan, applies } = refresh;
  const said = (isApplied: boolean): string => (isApplied ? 'apply' : 'report');
  return {
    ...(sweep === null ? {} : { sweep: printTime(sweep) }),
    at_scan: atScan,
    card: said(applies.card),
    expiry: said(applies.expiry),
    restricted: said(applies.restricted),
    card_lost: said(applies.cardLost),
  };
}

function printWindow({ when, side, reason }: PlannedWindow): Printable {
  const others = { ...(side === null ? {} : { as: side }), reason };
  if (when.kind === 'once') {
    const [from, until] = [when.fromMs, when.untilMs].map((ms) => new Date(ms).toISOString());
    return { from: from ?? '', until: until ?? '', ...others };
  }
  const days = when.days.map((day) => DAYS[day] ?? '');
  return { at: printTime(when), for: formatDuration(when.lengthMs), days, ...others };
}

function printTime({ hour, minute }: { readonly hour: number; readonly minute: number }): string {
  return [hour, minute].map((part) => String(part).padStart(2, '0')).join(':');
}

function printUser({ name, role, libraries, password }: User): Printable {
  return { name, role, libraries, ...(password === null ? {} : { password: printSecret(password) }) };
}

/** An address may be a secret itself, as those of Slack and Teams are. */
function printNotified({ name, url, format, secret, topics, libraries }: NotifiedEndpoint): Printable {
  return {
    name,
    url: url.source === IN_FILE ? url.reveal() : printSecret(url),
    format,
    ...(secret === null ? {} : { secret: printSecret(secret) }),
    topics,
    libraries,
  };
}

/**
 * The configuration as it holds after defaults, in the words of the file, with groups of fields and agreements written out and the
 * place of each secret instead of the secret.
 */
export function effectiveConfig(consortium: Consortium): { readonly [key: string]: Printable } {
  const { name, locate, retention, libraries, agreements, users, notify } = consortium;
  return {
    consortium: name,
    locate: { strict: locate.strict, patterns_decide: locate.patternsDecide },
    retention: {
      finished: formatDuration(retention.finishedMs),
      failed: formatDuration(retention.failedMs),
      receipts: formatDuration(retention.receiptsMs),
      audit: formatDuration(retention.auditMs),
    },
    libraries: libraries.map(printLibrary),
    agreements: agreements.all().map(({ home, lending, fields, categories, blockHomeOver }) => ({
      home,
      lending,
      ...(fields === null ? {} : { fields }),
      categories: printFilter(categories),
      recourse: blockHomeOver === null ? 'report' : { block_home_over: blockHomeOver / 100 },
    })),
    ...(users.length === 0 ? {} : { users: users.map(printUser) }),
    ...(notify.length === 0 ? {} : { notify: notify.map(printNotified) }),
  };
}

/** The same as YAML; lists of words stand on one line. */
export function renderEffectiveConfig(consortium: Consortium): string {
  const document = new Document(effectiveConfig(consortium), { aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every(isScalar);
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

import type { z } from 'zod';
import { librarySchema, shareSection } from './file-schema.ts';
import { parseKohaUrl } from './koha-url.ts';
import type { MergedSections, SectionLayer } from './library-layers.ts';
import { mergeLayers, readSectionLayer } from './library-layers.ts';
import type { CategoryChoice, CategoryFilter, CopyPolicy, KohaAccess, Library } from './model.ts';
import type { Path, ProblemList } from './problem-list.ts';
import { isMapping, readSection } from './read-section.ts';
import { Secret } from './secret.ts';
import type { SecretReader } from './secret-reader.ts';
import { faultOfClientSecret, faultOfWebhookSecret } from './secret-strength.ts';

/** One entry of `libraries` as it was read. Where a problem was reported, `library` holds a stand-in that nobody will see. */
export interface LibraryDraft {
  readonly at: Path;
  readonly library: Library;
  /** It has webhook secrets, be they readable or not. */
  readonly lends: boolean;
  /** Its category was given, be it right or not. */
  readonly hasCategory: boolean;
}

interface Reading {
  readonly at: Path;
  readonly problems: ProblemList;
  readonly secrets: SecretReader;
}

const NOT_READ = new Secret('');

/** A category filter of the file in the model's form. */
export function toCategoryFilter(filter: 'all' | { only: string[] } | { except: string[] }): CategoryFilter {
  if (filter === 'all') return { kind: 'all' };
  return 'only' in filter
    ? { kind: 'only', categories: filter.only }
    : { kind: 'except', categories: filter.except };
}

function toCategoryChoice(choice: MergedSections['copy']['category']): CategoryChoice | null {
  if (choice === undefined) return null;
  if (typeof choice === 'string') return { kind: 'one', category: choice };
  return { kind: 'by_home_category', map: choice.by_home_category, otherwise: choice.otherwise ?? null };
}

function toExpiry(expiry: MergedSections['copy']['expiry']): CopyPolicy['expiry'] {
  return typeof expiry === 'string' ? { kind: expiry } : { kind: 'days', days: expiry.days };
}

function toCopyPolicy(copy: MergedSections['copy']): CopyPolicy {
  return {
    category: toCategoryChoice(copy.category),
    branch: copy.branch === 'scan' ? { kind: 'scan' } : { kind: 'fixed', branch: copy.branch.fixed },
    fields: copy.fields,
    set: Object.fromEntries(
      Object.entries(copy.set).filter((entry): entry is [string, string] => entry[1] !== null),
    ),
    expiry: toExpiry(copy.expiry),
    passportAttribute: copy.passport_attribute,
    homeKeyAttribute: copy.home_key_attribute,
    onLookAlike: copy.on_look_alike,
  };
}

/** Where a key of a section was written: the library, `defaults`, or nowhere. */
function isWritten(raw: unknown, rawDefaults: unknown, section: string, key: string): boolean {
  return [raw, rawDefaults].some((layer) => {
    const inner = isMapping(layer) ? layer[section] : undefined;
    return isMapping(inner) && inner[key] !== undefined;
  });
}

function toKohaAccess(
  koha: MergedSections['koha'],
  isGiven: (key: string) => boolean,
  { at, problems, secrets }: Reading,
): KohaAccess {
  const place = (key: string) => [...at, 'koha', key];
  for (const key of ['url', 'client_id', 'client_secret']) {
    if (!isGiven(key)) problems.add(place(key), 'is missing');
  }
  const read = koha.url === undefined ? { url: '' } : parseKohaUrl(koha.url, koha.allow_http);
  if ('problem' in read) {
    const allowed =
      'https://HOST[:PORT][/PATH]; http only for loopback, or a compose service with allow_http: true';
    problems.add(place('url'), read.problem, allowed);
  }
  const clientId = koha.client_id === undefined ? null : secrets.read(koha.client_id, place('client_id'));
  const clientSecret =
    koha.client_secret === undefined ? null : secrets.read(koha.client_secret, place('client_secret'));
  const fault = clientSecret === null ? null : faultOfClientSecret(clientSecret, clientId);
  if (fault !== null)
    problems.add(place('client_secret'), fault, "the secret that Koha's API key page gives");
  return {
    url: 'url' in read ? read.url : '',
    clientId: clientId ?? NOT_READ,
    clientSecret: clientSecret ?? NOT_READ,
    timeoutMs: koha.timeout,
    maxInFlight: koha.max_in_flight,
  };
}

type OwnKeys = Partial<z.output<typeof librarySchema>>;

function readWebhookSecrets({ webhook_secrets: sources }: OwnKeys, reading: Reading): Secret<string>[] {
  const seen = new Set<string>();
  return (sources ?? []).flatMap((source, place) => {
    const at = [...reading.at, 'webhook_secrets', place];
    const secret = reading.secrets.read(source, at);
    if (secret === null) return [];
    const fault = seen.has(secret.reveal()) ? 'is the same as one before it' : faultOfWebhookSecret(secret);
    if (fault !== null) reading.problems.add(at, fault, 'what `passport secret new` prints');
    seen.add(secret.reveal());
    return [secret];
  });
}

/** Reads one entry of `libraries`, reporting all that is wrong in it. */
export function readLibrary(
  raw: unknown,
  defaults: { readonly raw: unknown; readonly layer: SectionLayer },
  reading: Reading,
): LibraryDraft {
  const { at, problems } = reading;
  const own = readSection(librarySchema, raw ?? {}, at, problems);
  const share = readSection(shareSection, own.share, [...at, 'share'], problems);
  const merged = mergeLayers(defaults.layer, readSectionLayer(raw, at, problems), share);
  for (const key of ['id', 'name'] as const) {
    if (isMapping(raw) && raw[key] === undefined) problems.add([...at, key], 'is missing');
  }
  const { koha, limits, eligibility, retry } = merged;
  return {
    at,
    lends: (isMapping(raw) && Array.isArray(raw['webhook_secrets']) ? raw['webhook_secrets'].length : 0) > 0,
    hasCategory: isWritten(raw, defaults.raw, 'copy', 'category'),
    library: {
      id: own.id ?? '',
      name: own.name ?? '',
      enabled: own.enabled ?? true,
      koha: toKohaAccess(koha, (key) => isWritten(raw, defaults.raw, 'koha', key), reading),
      webhookSecrets: readWebhookSecrets(own, reading),
      limits: {
        eventsPerSecond: limits.events_per_second,
        burst: limits.burst,
        backlog: limits.backlog,
        copiesPerHour: limits.copies_per_hour,
        missesPerHour: limits.misses_per_hour,
      },
      cards: own.cards ?? [],
      share: {
        fields: merged.share.fields,
        categories: toCategoryFilter(merged.share.categories),
        optOutAttribute: merged.share.opt_out_attribute,
      },
      copy: toCopyPolicy(merged.copy),
      eligibility: {
        expired: eligibility.expired,
        restricted: eligibility.restricted,
        cardLost: eligibility.card_lost,
        addressUnconfirmed: eligibility.address_unconfirmed,
        maxDebt: eligibility.max_debt,
        minAge: eligibility.min_age,
        showReasons: eligibility.show_reasons,
      },
      retry: {
        tellKoha: retry.tell_koha,
        checkout: retry.checkout,
        checkoutWithinMs: retry.checkout_within,
        confirm: retry.confirm ?? [],
        giveUpAfterMs: retry.give_up_after,
      },
    },
  };
}

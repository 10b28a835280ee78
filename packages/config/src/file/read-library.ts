import type { z } from 'zod';
import { BUILT_IN_DEFAULTS } from './built-in-defaults.ts';
import { kohaSection, librarySchema, shareSection } from './file-schema.ts';
import { camelKeys } from './key-case.ts';
import { parseKohaUrl } from './koha-url.ts';
import { type MergedSections, type SectionLayer, mergeLayers, readSectionLayer } from './library-layers.ts';
import type { KohaAccess, Library } from './model.ts';
import type { Path, ProblemList } from '../problems/problem-list.ts';
import { isMapping, metaOf, readSection, reportMissing } from './read-section.ts';
import { Secret } from '../secrets/secret.ts';
import type { SecretReader } from '../secrets/secret-reader.ts';
import { toCopyPolicy, toOwedPolicy, toRefreshPolicy, toRetryPolicy, toShare } from './section-models.ts';
import { toWindows } from '../windows/windows-key.ts';
import { faultOfClientSecret, faultOfWebhookSecret } from '../secrets/secret-strength.ts';

/** One entry of `libraries` as it was read. Where a problem was reported, `library` holds a stand-in that nobody will see. */
export interface LibraryDraft {
  readonly at: Path;
  readonly library: Library;
  /** It has webhook secrets, be they readable or not. */
  readonly isLending: boolean;
  /** Its category was given, be it right or not. */
  readonly hasCategory: boolean;
  /** Its patrons must consent, and no text for that was given. */
  readonly lacksConsentText: boolean;
}

interface Reading {
  readonly at: Path;
  readonly problems: ProblemList;
  readonly secrets: SecretReader;
}

const REQUIRED_KOHA_KEYS = ['url', 'client_id', 'client_secret'];
const CLIENT_SECRET_ALLOWED = "the secret that Koha's page of API keys gives";
const NOT_READ = new Secret('');

/** Whether a key of a section stands in the file, be it in the library or in `defaults`. */
function isWritten(raw: unknown, rawDefaults: unknown, section: string, key: string): boolean {
  return [raw, rawDefaults].some((layer) => {
    const inner = isMapping(layer) ? layer[section] : undefined;
    return isMapping(inner) && inner[key] !== undefined;
  });
}

/** The same, and it is not null. */
function isGiven(raw: unknown, rawDefaults: unknown, section: string, key: string): boolean {
  const values = [raw, rawDefaults].map((layer) => {
    const inner = isMapping(layer) ? layer[section] : undefined;
    return isMapping(inner) ? inner[key] : undefined;
  });
  return (values.find((value) => value !== undefined) ?? null) !== null;
}

function toKohaAccess(koha: MergedSections['koha'], { at, problems, secrets }: Reading): KohaAccess {
  const place = (key: string) => [...at, 'koha', key];
  const read = koha.url === undefined ? { url: '' } : parseKohaUrl(koha.url, koha.allow_http);
  if ('problem' in read) {
    problems.add(place('url'), read.problem, metaOf(kohaSection.shape.url).allowed);
  }
  const clientId =
    koha.client_id === undefined ? null : secrets.read('koha', koha.client_id, place('client_id'));
  const clientSecret =
    koha.client_secret === undefined
      ? null
      : secrets.read('koha', koha.client_secret, place('client_secret'));
  const fault =
    clientSecret === null || !secrets.wants('koha') ? null : faultOfClientSecret(clientSecret, clientId);
  if (fault !== null) problems.add(place('client_secret'), fault, CLIENT_SECRET_ALLOWED);
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
    const secret = reading.secrets.read('webhook', source, at);
    if (secret === null) return [];
    if (!reading.secrets.wants('webhook')) return [secret];
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
  const own = readSection(librarySchema, raw, at, problems);
  const share = readSection(shareSection, own.share, [...at, 'share'], problems);
  const merged = mergeLayers(defaults.layer, readSectionLayer(raw, at, problems), share);
  reportMissing(raw, ['id', 'name'], librarySchema, at, problems);
  if (isMapping(raw ?? {})) {
    const koha = REQUIRED_KOHA_KEYS.filter((key) => !isWritten(raw, defaults.raw, 'koha', key));
    reportMissing({}, koha, kohaSection, [...at, 'koha'], problems);
  }
  return {
    at,
    isLending: isMapping(raw) && Array.isArray(raw['webhook_secrets']) && raw['webhook_secrets'].length > 0,
    hasCategory: isWritten(raw, defaults.raw, 'copy', 'category'),
    lacksConsentText:
      merged.copy.consent === 'ask' &&
      merged.copy.consent_text === null &&
      !isGiven(raw, defaults.raw, 'copy', 'consent_text'),
    library: {
      id: own.id ?? '',
      name: own.name ?? '',
      enabled: own.enabled ?? BUILT_IN_DEFAULTS.library.enabled,
      koha: toKohaAccess(merged.koha, reading),
      webhookSecrets: readWebhookSecrets(own, reading),
      limits: camelKeys(merged.limits),
      cards: own.cards ?? BUILT_IN_DEFAULTS.library.cards,
      share: toShare(merged.share),
      copy: toCopyPolicy(merged.copy),
      eligibility: camelKeys(merged.eligibility),
      retry: toRetryPolicy(merged.retry),
      refresh: toRefreshPolicy(own.refresh ?? BUILT_IN_DEFAULTS.library.refresh),
      owed: toOwedPolicy(own.owed ?? BUILT_IN_DEFAULTS.library.owed),
      windows: toWindows(own.windows ?? BUILT_IN_DEFAULTS.library.windows),
    },
  };
}

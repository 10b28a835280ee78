import { NOTIFICATION_TOPICS } from '@passport/contract';
import type { z } from 'zod';
import { isComposeService, isLoopback } from './koha-url.ts';
import type { NotifiedEndpoint } from './model.ts';
import { NOTIFY_DEFAULTS, notifySchema } from './notify-schema.ts';
import type { Path, ProblemList } from '../problems/problem-list.ts';
import { metaOf, readSection, reportMissing } from './read-section.ts';
import { reportNoLibrary } from '../problems/report-no-library.ts';
import type { SecretReader } from '../secrets/secret-reader.ts';
import { faultOfWebhookSecret } from '../secrets/secret-strength.ts';
import { Secret } from '../secrets/secret.ts';

interface Reading {
  /** Of the libraries in the file. */
  readonly ids: readonly string[];
  readonly problems: ProblemList;
  readonly secrets: SecretReader;
}

type OwnKeys = Partial<z.output<typeof notifySchema>>;

const NOT_READ = new Secret('');
/** The source of an address that stands in the file, and so is none of the secret ones. */
export const IN_FILE = 'the file';

/** Reads `notify`, reporting all that is wrong in it. */
export function readNotify(raws: readonly unknown[], reading: Reading): readonly NotifiedEndpoint[] {
  const first = new Map<string, number>();
  return raws.map((raw, place) => {
    const endpoint = readEndpoint(raw, ['notify', place], reading);
    const before = first.get(endpoint.name);
    if (endpoint.name !== '' && before !== undefined) {
      const problem = `is the same as notify[${before}].name`;
      reading.problems.add(['notify', place, 'name'], problem, 'a name of its own');
    }
    first.set(endpoint.name, before ?? place);
    return endpoint;
  });
}

function readEndpoint(raw: unknown, at: Path, reading: Reading): NotifiedEndpoint {
  const { ids, problems } = reading;
  const read = readSection(notifySchema, raw, at, problems);
  reportMissing(raw, ['name', 'url'], notifySchema, at, problems);
  const format = read.format ?? NOTIFY_DEFAULTS.format;
  const libraries = read.libraries ?? NOTIFY_DEFAULTS.libraries;
  if (libraries !== 'all') {
    for (const [place, id] of libraries.entries()) {
      if (!ids.includes(id)) reportNoLibrary(id, ids, [...at, 'libraries', place], problems);
    }
  }
  const topics = read.topics ?? NOTIFY_DEFAULTS.topics;
  return {
    name: read.name ?? '',
    url: readUrl(read, [...at, 'url'], reading),
    format,
    secret: readSecret(read, [...at, 'secret'], reading),
    topics: topics === 'all' ? NOTIFICATION_TOPICS : topics,
    libraries,
  };
}

function readUrl(
  { url, format = NOTIFY_DEFAULTS.format, allow_http: allowHttp = NOTIFY_DEFAULTS.allow_http }: OwnKeys,
  at: Path,
  { problems, secrets }: Reading,
): Secret<string> {
  if (url === undefined) return NOT_READ;
  const { allowed } = metaOf(notifySchema.shape.url);
  if (typeof url === 'string') {
    if (format !== 'standard') {
      problems.add(at, `is a secret of ${format}, and stands in the file`, '{env: NAME} or {file: PATH}');
      return NOT_READ;
    }
    const fault = faultOfUrl(url, allowHttp);
    if (fault !== null) problems.add(at, fault, allowed);
    return new Secret(url, IN_FILE);
  }
  const found = secrets.read('notify', url, at);
  if (found === null || !secrets.wants('notify')) return found ?? NOT_READ;
  const fault = faultOfUrl(found.reveal(), allowHttp);
  if (fault !== null) problems.add(at, fault, allowed);
  return found;
}

/** What is wrong with an address, or null. The address itself is never repeated. */
function faultOfUrl(text: string, allowHttp: boolean): string | null {
  if (!URL.canParse(text)) return 'is not a URL';
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'is neither https nor http';
  if (username !== '' || password !== '') return 'holds a user name or a password';
  if (hash !== '') return 'has a fragment';
  const isNear = isLoopback(hostname) || (allowHttp && isComposeService(hostname));
  return protocol === 'http:' && !isNear
    ? 'is plain http: anybody on the way could read and answer it'
    : null;
}

function readSecret(
  { secret: source, format = NOTIFY_DEFAULTS.format }: OwnKeys,
  at: Path,
  { problems, secrets }: Reading,
): Secret<string> | null {
  const { allowed } = metaOf(notifySchema.shape.secret);
  if (format !== 'standard') {
    if (source !== undefined) problems.add(at, `is of no use: ${format} checks no signature`, 'nothing');
    return null;
  }
  if (source === undefined) {
    problems.add(at, 'is missing', allowed);
    return NOT_READ;
  }
  const secret = secrets.read('notify', source, at);
  if (secret === null || !secrets.wants('notify')) return secret ?? NOT_READ;
  const fault = faultOfWebhookSecret(secret);
  if (fault !== null) problems.add(at, fault, 'what `passport secret new` prints');
  return secret;
}

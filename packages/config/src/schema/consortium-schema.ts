import { LONGEST_KEPT_DAYS, NOTIFICATION_TOPICS } from '@passport/contract';
import * as z from 'zod';
import type { Agreements } from '../agreements/agreements.ts';
import { faultOfPassword, faultOfWebhookSecret } from '../secrets/secret-strength.ts';
import { printSecret, Secret } from '../secrets/secret.ts';
import type { Frozen } from '../keys/frozen.ts';
import { key, section } from '../keys/key.ts';
import { duration, flag, list, orLeftOut, secretSource, title, words, userName } from '../keys/kinds.ts';
import { faultOfHttpUrl, isHttpAllowed, publicAddress } from './koha-url.ts';
import type { Library } from './library-schema.ts';
import { isMailAddress, readMailServer } from './mail-keys.ts';

const locateSection = section(
  z.strictObject({
    strict: flag(false, 'True: even after a match, wait for the libraries that did not answer.'),
    patternsDecide: flag(
      false,
      'True: query the libraries whose card patterns match first, and those without patterns only after all of them have answered "not found". Use it only if no two libraries share a number range.',
    ),
  }),
  { description: 'How home libraries are looked up.' },
);

const kept = (fallback: string, description: string) =>
  duration('1s', `${LONGEST_KEPT_DAYS}d`, fallback, description);

const retentionSection = section(
  z.strictObject({
    finishedMs: kept('24h', 'How long finished events are kept.'),
    failedMs: kept('7d', 'How long failed events are kept.'),
    receiptsMs: duration('1h', '3650d', '400d', 'How long receipts of disclosures are kept.'),
    auditMs: duration(
      '1h',
      '3650d',
      '400d',
      'How long the audit view (`passport audit`, the dashboard) keeps what was done, with the names of staff accounts; of each account the newest 5,000 acts and 1,000 refused writes, of the service 20,000, and 5,000 refused log-ins.',
    ),
  }),
  { description: 'How long data is kept.' },
);

const librariesOrAll = z.union([z.literal('all'), z.array(z.string()).min(1)]);
const LIBRARIES_ALLOWED = 'all, or a list of ids of libraries';

/** Somebody who may use the dashboard. */
export const userSchema = section(
  z.strictObject({
    name: key(userName.schema, {
      description: 'Name to log in with.',
      allowed: userName.allowed,
      isRequired: true,
      absent: '',
    }),
    role: key(z.enum(['operator', 'viewer']), {
      description: 'An `operator` may look, retry and discard. A `viewer` may only look.',
      allowed: 'operator or viewer',
      isRequired: true,
      absent: 'viewer',
    }),
    libraries: key(librariesOrAll, {
      description:
        'Lending libraries whose scans, statistics, sweeps and health this user sees; everything else is not found. Only users of `all` have the queue board.',
      allowed: LIBRARIES_ALLOWED,
      isRequired: true,
      absent: [],
    }),
    /** Null: a proxy logs them in. */
    password: key(secretSource('user').nullable(), {
      description:
        'Password; only the dashboard reads it. None: the user is logged in by a proxy (`DASHBOARD_PROXY_USER_HEADER`).',
      allowed:
        '{env: NAME} or {file: PATH} of 12 to 200 characters that nobody can guess; never the password itself',
      note: 'none',
      absent: null,
      standIn: new Secret(''),
    }),
  }),
  {
    description: 'One entry of `users`: somebody who may use the dashboard.',
    check: ({ name, password }, report) => {
      const fault = password === null ? null : faultOfPassword(password, name);
      report('password', fault, '12 to 200 characters that nobody can guess');
    },
  },
);

/** The source of an address that stands in the file, and so is none of the secret ones. */
const IN_FILE = 'the file';

/** What is wrong with an address, or null. */
function faultOfUrl(url: string, allowHttp: boolean): string | null {
  const fault = faultOfHttpUrl(url);
  if (fault !== null) return fault;
  if (new URL(url).hash !== '') return 'has a fragment';
  return isHttpAllowed(url, allowHttp) ? null : 'is plain http: anybody on the way could read and answer it';
}

interface MailKeys {
  readonly url: Secret<string>;
  readonly secret: Secret<string> | null;
  readonly from: string | null;
  readonly to: readonly string[];
  readonly isInFile: boolean;
  readonly allowHttp: boolean;
}

/** What is wrong with where e-mail goes, key by key. */
function checkMail(
  { url, secret, from, to, isInFile, allowHttp }: MailKeys,
  report: (
    key: 'url' | 'secret' | 'from' | 'to' | 'allowHttp',
    fault: string | null,
    allowed?: string,
  ) => void,
): void {
  if (allowHttp) report('allowHttp', 'is of no use: e-mail goes by smtp', 'nothing');
  if (from === null) report('from', 'is missing');
  if (to.length === 0) report('to', 'is missing');
  // A process that does not read the secrets knows nothing of the rest.
  if (!isInFile && url.reveal() === '') return;
  const server = readMailServer(url.reveal());
  if (typeof server === 'string') return report('url', server);
  if (server.user !== null && secret === null)
    report('secret', 'is missing: url names a user', 'the password');
  if (server.user === null && secret !== null) report('secret', 'is of no use: url names no user', 'nothing');
}

/** Somebody's address for messages to operators. */
export const endpointSchema = section(
  z
    .strictObject({
      name: key(z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/), {
        description: 'Its name in log, metrics and `passport notify test`.',
        allowed: '1 to 40 of a-z 0-9 and -, not - first',
        isRequired: true,
        absent: '',
      }),
      url: key(
        z.union([
          z.string().transform((url): Secret<string> => new Secret(url, IN_FILE)),
          secretSource('notify'),
        ]),
        {
          description:
            'Where messages are posted. An address of Slack or Teams is a secret itself: give it by reference. Of `email` the mail server: `smtps` speaks TLS from the start, `smtp` requires STARTTLS, except on this machine.',
          allowed:
            'https://HOST[:PORT]/PATH, {env: NAME} or {file: PATH}; http only for loopback, or for a compose service with allow_http: true; of `email` smtps://USER@HOST[:PORT] or smtp://USER@HOST[:PORT]',
          isRequired: true,
          absent: new Secret(''),
          print: (url) => (url.source === IN_FILE ? url.reveal() : printSecret(url)),
        },
      ),
      format: words(
        ['standard', 'slack', 'teams', 'email'],
        'standard',
        '`standard`: JSON, signed as Standard Webhooks. `slack`: for an incoming webhook of Slack. `teams`: for a workflow of Microsoft Teams. `email`: plain text by SMTP.',
      ),
      /** The whole `whsec_...` text. Null: nothing is signed, and the address itself is the secret. */
      secret: key(orLeftOut(secretSource('notify')), {
        description:
          'Signs the messages of the format `standard`; of `email` the password of the user in `url`. The others have none.',
        allowed:
          '{env: NAME} or {file: PATH} of what `passport secret new` prints, or of the password; never the secret itself',
        note: 'required for `standard`',
        absent: null,
        standIn: new Secret(''),
      }),
      from: key(orLeftOut(z.string().refine(isMailAddress, 'is no e-mail address')), {
        description: 'Sender of the format `email`.',
        allowed: 'one bare address, such as passport@example.org',
        note: 'required for `email`',
        absent: null,
      }),
      to: key(z.array(z.string().refine(isMailAddress, 'is no e-mail address')).max(10), {
        description: 'Recipients of the format `email`: of an office rather than of a person.',
        allowed: 'a list of 1 to 10 bare addresses',
        note: 'required for `email`',
        absent: [],
      }),
      topics: key(
        z
          .union([z.literal('all'), z.array(z.enum(NOTIFICATION_TOPICS)).min(1)])
          .transform((topics) => (topics === 'all' ? [...NOTIFICATION_TOPICS] : topics)),
        {
          description: 'What to notify of.',
          allowed: `all, or a list of ${NOTIFICATION_TOPICS.join(', ')}`,
          fallback: 'all',
        },
      ),
      libraries: key(librariesOrAll, {
        description:
          'Libraries whose messages are sent there. Those of the whole service (`worker_missing`, `service_fault`) always are.',
        allowed: LIBRARIES_ALLOWED,
        fallback: 'all',
      }),
      allowHttp: flag(false, 'Allows plain http to a compose service, that is a host name without a dot.'),
    })
    .transform(({ allowHttp: _none, ...endpoint }) => endpoint),
  {
    description:
      'One entry of `notify`: where operators are notified ([notifications.md](notifications.md)). Workers and receivers read its secrets.',
    check: ({ url, format, secret, from, to, allowHttp }, report) => {
      const isInFile = url.source === IN_FILE;
      if (format === 'email') return checkMail({ url, secret, from, to, isInFile, allowHttp }, report);
      if (from !== null) report('from', `is of no use: ${format} is no e-mail`, 'nothing');
      if (to.length > 0) report('to', `is of no use: ${format} is no e-mail`, 'nothing');
      if (isInFile && format !== 'standard') {
        report('url', `is a secret of ${format}, and stands in the file`, '{env: NAME} or {file: PATH}');
      } else if (isInFile || url.reveal() !== '') report('url', faultOfUrl(url.reveal(), allowHttp));
      if (format === 'standard') {
        if (secret === null) report('secret', 'is missing');
        else report('secret', faultOfWebhookSecret(secret), 'what `passport secret new` prints');
      } else if (secret !== null) {
        report('secret', `is of no use: ${format} checks no signature`, 'nothing');
      }
    },
  },
);

const addressOf = (description: string) =>
  key(orLeftOut(publicAddress), {
    description,
    allowed: 'https://HOST[:PORT][/PATH]; http only for loopback, or a host name without a dot',
    note: 'none',
    absent: null,
  });

const publicSection = section(
  z.strictObject({
    receiver: addressOf('Address of the receiver, as Kohas reach it. `passport library invite` needs it.'),
    dashboard: addressOf('Address of the dashboard, as operators open it. Messages to them link to it.'),
  }),
  { description: 'Addresses of the service, as they are from outside.' },
);

/** The whole file. The entries of its lists are read one by one, with schemas of their own. */
export const fileSchema = section(
  z.strictObject({
    name: title({ description: "The consortium's name.", name: 'consortium' }),
    locate: locateSection,
    retention: retentionSection,
    public: publicSection,
    defaults: key(z.unknown(), {
      description: 'Default values for any key of the sections koha, limits, copy, eligibility and retry.',
      allowed: 'a section of its own, see below',
      absent: null,
    }),
    libraries: key(list(z.unknown()), {
      description: 'The libraries.',
      allowed: 'a list of libraries',
      isRequired: true,
      absent: [],
    }),
    agreements: key(z.union([z.literal('all'), z.array(z.unknown())]), {
      description: 'Which libraries share patrons: all with all, or a list of pairs, one per direction.',
      allowed: 'all, or a list of {home, lending, fields, categories, recourse}',
      isRequired: true,
      absent: [],
    }),
    users: key(list(z.unknown()), {
      description: 'Who may use the dashboard, beside the logins of its environment.',
      allowed: 'a list of {name, role, libraries, password}',
      note: 'none',
      absent: [],
    }),
    notify: key(list(z.unknown(), 20), {
      description: 'Where operators are notified of what needs them ([notifications.md](notifications.md)).',
      allowed: 'a list of at most 20 {name, url, format, secret, from, to, topics, libraries, allow_http}',
      note: 'none',
      absent: [],
    }),
  }),
  { description: 'Written in YAML 1.2. Unknown keys are refused.' },
);

type FileKeys = Frozen<z.output<typeof fileSchema>>;
/** Somebody who may use the dashboard, beside the logins of its environment. */
export type User = Frozen<z.output<typeof userSchema>>;
export type NotifiedEndpoint = Frozen<z.output<typeof endpointSchema>>;

/** The whole configuration file, checked, expanded and deeply frozen. */
export interface Consortium extends Pick<FileKeys, 'name' | 'locate' | 'retention' | 'public'> {
  readonly libraries: readonly Library[];
  readonly agreements: Agreements;
  readonly users: readonly User[];
  readonly notify: readonly NotifiedEndpoint[];
}

import { type Fault, set } from './fault.ts';
import type { Draft } from './valid-file.ts';

const OPS = {
  name: 'ops',
  url: 'https://ops.example.org/hooks',
  secret: { env: 'OPS_SECRET' },
} as const;
const env = {
  OPS_SECRET: `whsec_${Buffer.from('o1-2_3.4'.repeat(4)).toString('base64')}`,
  CHAT_URL: 'https://chat.example.org/services/T1/B2/x',
};
/** One endpoint that is right but for a change. */
const endpoint = (change: Draft) => set('notify')([{ ...OPS, ...change }]);
const chat = { format: 'slack', url: { env: 'CHAT_URL' }, secret: undefined };

const mail = {
  format: 'email',
  url: 'smtps://passport%40example.org@mail.example.org:465',
  secret: { env: 'MAIL_PASSWORD' },
  from: 'passport@example.org',
  to: ['ops@example.org'],
};
const mailEnv = { MAIL_PASSWORD: 'what nobody guesses of mail' };
const wrongMail = (change: Draft, path: string, problem: RegExp): Fault => ({
  break: endpoint({ ...mail, ...change }),
  env: mailEnv,
  path: `notify[0].${path}`,
  problem,
});

/** Files that are wrong in whom they notify. */
export const NOTIFY_FAULTS: Readonly<Record<string, Fault>> = {
  'e-mail by https': wrongMail({ url: 'https://mail.example.org' }, 'url', /is neither smtps nor smtp/),
  'e-mail with the password in its address': wrongMail(
    { url: 'smtps://ops:hunter2@mail.example.org' },
    'url',
    /holds a password/,
  ),
  'e-mail to a server without a name': wrongMail(
    { url: 'smtps://ops@' },
    'url',
    /is not a URL|names no host/,
  ),
  'e-mail with a path': wrongMail({ url: 'smtps://ops@mail.example.org/x' }, 'url', /has a path/),
  'e-mail with a user and no password': wrongMail({ secret: undefined }, 'secret', /url names a user/),
  'e-mail with a password and no user': wrongMail(
    { url: 'smtps://mail.example.org' },
    'secret',
    /url names no user/,
  ),
  'e-mail from nobody': wrongMail({ from: undefined }, 'from', /is missing/),
  'e-mail to nobody': wrongMail({ to: undefined }, 'to', /is missing/),
  'e-mail to a name': wrongMail({ to: ['Ops <ops@example.org>'] }, 'to[0]', /is no e-mail address/),
  'e-mail to two in one': wrongMail(
    { to: ['ops@example.org,x@example.org'] },
    'to[0]',
    /is no e-mail address/,
  ),
  'e-mail from a second header': wrongMail(
    { from: 'passport@example.org\r\nBcc: x@example.org' },
    'from',
    /is no e-mail address/,
  ),
  'e-mail to more than an office': wrongMail(
    { to: Array.from({ length: 11 }, (_, place) => `ops-${place}@example.org`) },
    'to',
    /has 11 entries|is longer|too/,
  ),
  'e-mail by plain http': wrongMail({ allow_http: true }, 'allow_http', /is of no use/),
  'an endpoint of Slack with recipients': {
    break: endpoint({ ...chat, to: ['ops@example.org'] }),
    env,
    path: 'notify[0].to',
    problem: /is of no use/,
  },
  'an endpoint without a name': {
    break: endpoint({ name: undefined }),
    env,
    path: 'notify[0].name',
    problem: /is missing/,
  },
  'two endpoints of one name': {
    break: set('notify')([OPS, OPS]),
    env,
    path: 'notify[1].name',
    problem: /is the same as notify\[0\]\.name/,
  },
  'an endpoint without an address': {
    break: endpoint({ url: undefined }),
    env,
    path: 'notify[0].url',
    problem: /is missing/,
  },
  'an endpoint over plain http': {
    break: endpoint({ url: 'http://ops.example.org/hooks' }),
    env,
    path: 'notify[0].url',
    problem: /is plain http/,
    allowed: /only for loopback/,
  },
  'an endpoint over plain http at a host with a dot, whatever is allowed': {
    break: endpoint({ url: 'http://169.254.169.254/latest', allow_http: true }),
    env,
    path: 'notify[0].url',
    problem: /is plain http/,
  },
  'an endpoint that is a file': {
    break: endpoint({ url: 'file:///etc/passwd' }),
    env,
    path: 'notify[0].url',
    problem: /neither https nor http/,
  },
  'an endpoint with a password in its address': {
    break: endpoint({ url: 'https://ops:hunter2@ops.example.org/' }),
    env,
    path: 'notify[0].url',
    problem: /user name or a password/,
  },
  'an endpoint whose environment holds no URL': {
    break: endpoint({ ...chat, url: { env: 'OPS_SECRET' } }),
    env,
    path: 'notify[0].url',
    problem: /is neither https nor http|is not a URL/,
  },
  'an address of Slack in the file': {
    break: endpoint({ ...chat, url: 'https://hooks.slack.com/services/T1/B2/x' }),
    env,
    path: 'notify[0].url',
    problem: /is a secret of slack/,
    allowed: /\{env: NAME\}/,
  },
  'a secret that Slack would not check': {
    break: endpoint({ ...chat, secret: { env: 'OPS_SECRET' } }),
    env,
    path: 'notify[0].secret',
    problem: /slack checks no signature/,
  },
  'a standard endpoint without a secret': {
    break: endpoint({ secret: undefined }),
    env,
    path: 'notify[0].secret',
    problem: /is missing/,
  },
  'a secret of an endpoint that is none': {
    break: endpoint({}),
    env: { ...env, OPS_SECRET: 'whsec_short' },
    path: 'notify[0].secret',
    problem: /does not fit/,
  },
  'a topic that is none': {
    break: endpoint({ topics: ['library', 'libary'] }),
    env,
    path: 'notify[0].topics[1]',
    problem: /none of the allowed words/,
    allowed: /worker_missing/,
  },
  'an endpoint of a library that is none': {
    break: endpoint({ libraries: ['midlnad'] }),
    env,
    path: 'notify[0].libraries[0]',
    problem: /is no library, did you mean midland\?/,
  },
  'an unknown key of an endpoint': {
    break: endpoint({ topic: 'library' }),
    env,
    path: 'notify[0].topic',
    problem: /did you mean topics\?/,
  },
  'more endpoints than are wanted': {
    break: set('notify')(Array.from({ length: 21 }, (_, place) => ({ ...OPS, name: `ops-${place}` }))),
    env,
    path: 'notify',
    problem: /too large/,
    allowed: /at most 20/,
  },
};

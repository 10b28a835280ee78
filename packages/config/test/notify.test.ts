import { expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { NOTIFICATION_TOPICS } from '@passport/contract';
import {
  cliConfig,
  dashboardConfig,
  receiverConfig,
  readMailServer,
  renderEffectiveConfig,
  workerConfig,
} from '../src/index.ts';
import { filesOf, parse, validEnvironment, validFile } from './valid-file.ts';

const OPS_SECRET = `whsec_${Buffer.from('o1-2_3.4'.repeat(4)).toString('base64')}`;
const CHAT_URL = 'https://hooks.slack.com/services/T1/B2/planted-part';
const NOTIFY = [
  { name: 'ops', url: 'https://ops.example.org/hooks', secret: { env: 'OPS_SECRET' } },
  { name: 'chat', url: { env: 'CHAT_URL' }, format: 'slack', topics: ['library'], libraries: ['midland'] },
];
const file = { ...validFile(), notify: NOTIFY };
const env = {
  ...validEnvironment(),
  OPS_SECRET,
  CHAT_URL,
  PASSPORT_CONFIG: 'passport.yaml',
  PASSPORT_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37) % 251)).toString('base64'),
  REDIS_URL: 'redis://127.0.0.1:6379',
  DASHBOARD_USER: 'operator',
  DASHBOARD_PASSWORD: 'hb7-dashboard-own',
};

test('endpoints are read with everything that holds for them', () => {
  const [ops, chat] = parse(file, env).notify;
  expect(ops).toMatchObject({ name: 'ops', format: 'standard', libraries: 'all' });
  expect(ops?.topics).toEqual(NOTIFICATION_TOPICS);
  expect(ops?.url.reveal()).toBe('https://ops.example.org/hooks');
  expect(ops?.secret?.reveal()).toBe(OPS_SECRET);
  expect(chat).toMatchObject({ format: 'slack', secret: null, topics: ['library'], libraries: ['midland'] });
  expect(chat?.url.reveal()).toBe(CHAT_URL);
});

test('e-mail has a server, a sender and recipients, and is printed without its password', () => {
  const mail = {
    name: 'mail',
    format: 'email',
    url: 'smtp://passport%40example.org@mail.example.org',
    secret: { env: 'MAIL_PASSWORD' },
    from: 'passport@example.org',
    to: ['ops@example.org'],
  };
  const near = { ...mail, name: 'near', url: 'smtp://localhost:25', secret: undefined };
  const all = { ...env, MAIL_PASSWORD: 'what nobody guesses of mail' };
  const consortium = parse({ ...validFile(), notify: [mail, near] }, all);
  const [far, local] = consortium.notify;
  expect(far).toMatchObject({ format: 'email', from: 'passport@example.org', to: ['ops@example.org'] });
  expect(readMailServer(far?.url.reveal() ?? '')).toEqual({
    host: 'mail.example.org',
    port: 587,
    user: 'passport@example.org',
    tls: 'upgrade',
  });
  expect(readMailServer(local?.url.reveal() ?? '')).toEqual({
    host: 'localhost',
    port: 25,
    user: null,
    tls: 'none',
  });
  expect(readMailServer('smtps://[::1]')).toEqual({ host: '::1', port: 465, user: null, tls: 'start' });
  const printed = renderEffectiveConfig(consortium);
  expect(printed).toContain('to: [ops@example.org]');
  expect(printed).not.toContain('what nobody guesses of mail');
});

test('nobody is notified of a file that says nothing of it, and an address on this machine needs no TLS', () => {
  expect(parse(validFile()).notify).toEqual([]);
  const near = { ...NOTIFY[0], url: 'http://127.0.0.1:9000/hook' };
  const service = { ...NOTIFY[0], name: 'service', url: 'http://alerts:9000/hook', allow_http: true };
  expect(parse({ ...validFile(), notify: [near, service] }, env).notify).toHaveLength(2);
});

test('workers, receivers and `passport notify` learn the secrets, and the dashboard does not', () => {
  const files = filesOf({ 'passport.yaml': stringify(file) });
  const ofCommand = cliConfig(env, files, ['notify']);
  for (const { consortium } of [workerConfig(env, files), receiverConfig(env, files), ofCommand]) {
    const { notify } = consortium;
    expect(notify.map(({ secret }) => secret?.reveal())).toEqual([OPS_SECRET, undefined]);
    expect(notify[1]?.url.reveal()).toBe(CHAT_URL);
  }
  const { OPS_SECRET: _secret, CHAT_URL: _url, ...without } = env;
  const { notify } = dashboardConfig(without, files).consortium;
  expect(notify.map(({ url, secret }) => [url.reveal(), secret?.reveal()])).toEqual([
    ['https://ops.example.org/hooks', ''],
    ['', undefined],
  ]);
});

test('what is printed of endpoints says where their secrets are, and not what they are', () => {
  const printed = renderEffectiveConfig(parse(file, env));
  expect(printed).toContain('[secret from env OPS_SECRET]');
  expect(printed).toContain('[secret from env CHAT_URL]');
  expect(printed).toContain('https://ops.example.org/hooks');
  expect(printed).not.toContain('planted-part');
  expect(printed).not.toContain(OPS_SECRET);
});

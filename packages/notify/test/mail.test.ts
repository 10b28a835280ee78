import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type NotifiedEndpoint, Secret } from '@passport/config';
import { makeTestCertificate } from '@passport/testkit';
import { type Delivery, deliver } from '@passport/notify';
import { SMTPServer } from 'smtp-server';
import type { NotificationMessage } from '@passport/contract';
import { MailError, mailTextOf, sendMail } from '../src/mail.ts';
import { NOON, type NotifyFixture, library, openNotifyFixture } from './notify-fixture.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of opened.splice(0)) await stop();
});
const PASSWORD = 'a password that nobody guesses';

let dir: string;
let cert: { readonly cert: string; readonly key: string };
let fixture: NotifyFixture;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mail-'));
  const { certFile, keyFile } = await makeTestCertificate(dir);
  cert = { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  fixture = await openNotifyFixture();
});
afterAll(async () => {
  await fixture.close();
  await rm(dir, { recursive: true });
});

interface Mail {
  readonly to: readonly string[];
  readonly from: string | false;
  readonly user: unknown;
  readonly secure: boolean;
  readonly raw: string;
}

/** A real mail server on this machine; `how`: the options of `smtp-server`. */
async function startMail(how: ConstructorParameters<typeof SMTPServer>[0] = {}) {
  const received: Mail[] = [];
  const logins: string[] = [];
  const server = new SMTPServer({
    ...cert,
    authOptional: true,
    disableReverseLookup: true,
    onAuth({ username, password }, _session, done) {
      logins.push(String(username));
      if (password === PASSWORD) return done(null, { user: String(username) });
      return done(new Error(`nobody knows ${String(password)}`));
    },
    onData(stream, session, done) {
      let raw = '';
      stream.setEncoding('utf8');
      stream.on('data', (part: string) => (raw += part));
      stream.on('end', () => {
        const { rcptTo, mailFrom } = session.envelope;
        received.push({
          to: rcptTo.map(({ address }) => address),
          from: mailFrom === false ? false : mailFrom.address,
          user: session.user,
          secure: session.secure,
          raw,
        });
        done();
      });
    },
    ...how,
  });
  // A client that breaks off in the middle is what some tests want.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { received, logins, port: (server.server.address() as AddressInfo).port };
}

/** What says this to whoever connects, and no more than that. */
async function startRaw(talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}

const endpoint = (url: string, change: Partial<NotifiedEndpoint> = {}): NotifiedEndpoint =>
  fixture.endpointOf({
    format: 'email',
    url: new Secret(url),
    secret: null,
    from: 'passport@example.org',
    to: ['ops@example.org', 'night@example.org'],
    ...change,
  });

const message: NotificationMessage = {
  type: 'library.away',
  timestamp: '2026-11-25T12:00:20.000Z',
  data: {
    consortium: 'Prairie Libraries',
    library: { id: 'midland', name: 'Midland City Library' },
    text: 'Midland City Library does not answer (timeout).',
    link: 'https://passport.example.org/libraries/midland',
    runbook: 'https://passport.example.org/runbook#passportlibraryopen',
    facts: { code: 'timeout', last_success: '2026-11-25T11:59:41.000Z', last_failure: null },
  },
};

const send = (
  to: NotifiedEndpoint,
  change: { readonly attemptMs?: number } = {},
  mailCa = cert.cert,
): Promise<Delivery> =>
  deliver(
    to,
    { id: 'notice_1', message },
    { fetch, now: () => NOON, signal: new AbortController().signal, mailCa, ...change },
    true,
  );

describe('a message by e-mail', () => {
  test('is plain text with page and runbook, to all recipients at once, by TLS, with the password after it', async () => {
    const server = await startMail({ secure: true, authOptional: false });
    const to = endpoint(`smtps://ops%40example.org@localhost:${server.port}`, {
      secret: new Secret(PASSWORD),
    });
    expect(await send(to)).toMatchObject({ kind: 'delivered', status: 250, code: null });
    const [mail] = server.received;
    expect(mail).toMatchObject({
      from: 'passport@example.org',
      to: ['ops@example.org', 'night@example.org'],
      user: 'ops@example.org',
      secure: true,
    });
    const [head = '', body = '', more] = (mail?.raw ?? '').split('\r\n\r\n');
    expect(head).toContain('Subject: [Prairie Libraries] Midland City Library does not answer');
    expect(head).toContain('Message-ID: <notice_1@example.org>');
    expect(head).toContain('Auto-Submitted: auto-generated');
    expect(head).toContain('Content-Type: text/plain; charset=utf-8');
    expect([body, more].join('\r\n\r\n').split('\r\n')).toEqual([
      'Midland City Library does not answer (timeout).',
      '',
      'library: midland',
      'code: timeout',
      'last success: 2026-11-25 11:59:41 UTC',
      'time: 2026-11-25 12:00:20 UTC',
      'page: https://passport.example.org/libraries/midland',
      'runbook: https://passport.example.org/runbook#passportlibraryopen',
      '',
    ]);
  });

  /** To a server that is not this machine: it is found here all the same. */
  const sendFar = (port: number) =>
    sendMail(
      {
        server: { host: 'localhost', port, user: 'ops', tls: 'upgrade' },
        password: PASSWORD,
        from: 'passport@example.org',
        to: ['ops@example.org'],
      },
      { id: 'notice_1', message },
      { signal: AbortSignal.timeout(5_000), timeoutMs: 5_000, ca: cert.cert },
    );

  test('goes by STARTTLS where the server offers it', async () => {
    const server = await startMail();
    expect(await sendFar(server.port)).toMatchObject({ status: 250, refused: 0 });
    expect(server.received).toMatchObject([{ secure: true, user: 'ops' }]);
  });

  test('says nothing to a server that offers no STARTTLS, the password least of all; on this machine it needs none', async () => {
    const server = await startMail({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
    const failed: unknown = await sendFar(server.port).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(MailError);
    expect(failed).toMatchObject({ code: 'ETLS' });
    expect([server.received, server.logins]).toEqual([[], []]);
    const near = endpoint(`smtp://ops@127.0.0.1:${server.port}`, { secret: new Secret(PASSWORD) });
    expect(await send(near)).toMatchObject({ kind: 'delivered' });
    expect(server.received).toMatchObject([{ secure: false, user: 'ops' }]);
  });

  test('is not handed to a server whose certificate nobody vouches for', async () => {
    const { certFile } = await makeTestCertificate(await mkdtemp(join(dir, 'other-')));
    const server = await startMail({ secure: true });
    const { kind, code } = await send(
      endpoint(`smtps://localhost:${server.port}`),
      {},
      await readFile(certFile, 'utf8'),
    );
    expect([kind, code]).toEqual(['failed', expect.stringMatching(/^[A-Z_]+$/)]);
    expect(server.received).toEqual([]);
  });

  test('a wrong password, a refused sender and a server that is not there are failures with their codes', async () => {
    const server = await startMail({
      allowInsecureAuth: true,
      onMailFrom: (_address, _session, done) =>
        done(Object.assign(new Error('we do not know you'), { responseCode: 553 })),
    });
    const wrong = endpoint(`smtp://ops@127.0.0.1:${server.port}`, { secret: new Secret('wrong') });
    expect(await send(wrong)).toMatchObject({ kind: 'failed', status: 535, code: 'EAUTH' });
    const refused = await send(endpoint(`smtp://127.0.0.1:${server.port}`));
    expect(refused).toMatchObject({ kind: 'failed', status: 553, code: 'EENVELOPE' });
    expect(await send(endpoint('smtp://127.0.0.1:1'))).toMatchObject({
      kind: 'failed',
      status: null,
      code: expect.stringMatching(/^ECONN/),
    });
  });

  test('recipients that are refused beside others cost those no second copy, and are said', async () => {
    const server = await startMail({
      onRcptTo: ({ address }, _session, done) =>
        address.startsWith('night') ? done(new Error('nobody here')) : done(),
    });
    expect(await send(endpoint(`smtp://127.0.0.1:${server.port}`))).toMatchObject({
      kind: 'delivered',
      code: 'some_recipients_refused',
    });
    expect(server.received).toMatchObject([{ to: ['ops@example.org'] }]);
  });

  test.each<[what: string, talk: (socket: Socket) => void]>([
    ['is silent', () => undefined],
    [
      'says one letter at a time',
      (socket) => void setInterval(() => socket.destroyed || socket.write('2'), 20).unref(),
    ],
    [
      'never ends its greeting',
      (socket) => void setInterval(() => socket.destroyed || socket.write('220-hello\r\n'), 5).unref(),
    ],
    ['breaks off', (socket) => socket.end('220 hello\r\n')],
    ['speaks of something else', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['sends more than any mail server', (socket) => socket.write(Buffer.alloc(4 * 1024 * 1024, 'x'))],
  ])('a server that %s is given up in time', async (_what, talk) => {
    const port = await startRaw(talk);
    const delivery = await send(endpoint(`smtp://127.0.0.1:${port}`), { attemptMs: 400 });
    expect(delivery).toMatchObject({ kind: 'failed', code: expect.stringMatching(/^[\w]+$/) });
    expect(delivery.answer.length).toBeLessThanOrEqual(2_000);
  });

  test('ends with the process, whatever the server does', async () => {
    const port = await startRaw(() => undefined);
    const stopping = new AbortController();
    const sent = deliver(
      endpoint(`smtp://127.0.0.1:${port}`),
      { id: 'notice_1', message },
      { fetch, now: () => NOON, signal: stopping.signal },
    );
    stopping.abort();
    expect(await sent).toMatchObject({ kind: 'failed', status: null });
  });
});

test('no name can begin a line, a header or a recipient of its own', async () => {
  const evil = 'Midland\r\nBcc: victim@example.org\r\n\r\nPay here\u2028.\r\nRCPT TO:<victim@example.org>';
  const { data } = message;
  const bad: NotificationMessage = {
    ...message,
    data: { ...data, consortium: evil, text: evil, library: { id: evil, name: evil }, facts: { name: evil } },
  };
  const { subject, text } = mailTextOf(bad);
  expect(subject).not.toMatch(/[\r\n\u2028]/);
  expect(text.split('\n')).toHaveLength(8);
  const server = await startMail();
  const deps = { fetch, now: () => NOON, signal: new AbortController().signal };
  await deliver(
    endpoint(`smtp://127.0.0.1:${server.port}`),
    { id: `n\r\nBcc: victim@example.org`, message: bad },
    deps,
  );
  const [mail] = server.received;
  expect(mail?.to).toEqual(['ops@example.org', 'night@example.org']);
  expect((mail?.raw ?? '').split('\r\n\r\n')[0]).not.toMatch(/^(?:Bcc|RCPT)/im);
});

test('a message that was not taken comes again, and the endpoint is shown as failing without its address', async () => {
  let isUp = false;
  const server = await startMail({
    onMailFrom: (_address, _session, done) => (isUp ? done() : done(new Error('later'))),
  });
  const worker = await fixture.startProcess([endpoint(`smtp://127.0.0.1:${server.port}`)]);
  await fixture.round(worker, library('midland', true));
  fixture.pass(20_000);
  await fixture.round(worker, library('midland', true));
  expect(server.received).toEqual([]);
  expect(JSON.stringify(await fixture.redis.hgetall('{passport}:notices:failing'))).not.toContain(
    '127.0.0.1',
  );
  isUp = true;
  fixture.pass(6_000);
  await fixture.round(worker, library('midland', true));
  expect(server.received).toHaveLength(1);
});

import type { MailServer, NotifiedEndpoint } from '@passport/config';
import type { NotificationMessage } from '@passport/contract';
import { localTime } from '@passport/runtime';
import MailComposer from 'nodemailer/lib/mail-composer';
import SmtpConnection from 'nodemailer/lib/smtp-connection';
import { factsOf, linksOf } from './body.ts';

/** Mail programs show no more of a subject. */
const LONGEST_SUBJECT = 150;
/** No answer of a mail server is longer; more is not listened to. */
const MOST_BYTES = 64 * 1024;

/** What an endpoint of the format `email` has. */
export interface MailEndpoint extends Pick<NotifiedEndpoint, 'to'> {
  readonly from: string;
  readonly server: MailServer;
  readonly password: string | null;
}

/** Subject and text of a message. Whatever a name holds, it stays on its line. Pure. */
export function mailTextOf({ timestamp, data }: NotificationMessage): {
  readonly subject: string;
  readonly text: string;
} {
  const { consortium, library, text, facts } = data;
  const rows: readonly (readonly [string, string])[] = [
    ...(library === null ? [] : [['library', library.id] as const]),
    ...factsOf(facts),
    ['time', localTime(Date.parse(timestamp))],
    ...linksOf(data),
  ];
  const subject = oneLine(`[${consortium}] ${text}`);
  return {
    subject: subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT - 1)}…` : subject,
    text: [oneLine(text), '', ...rows.map(([name, value]) => `${name}: ${oneLine(value)}`), ''].join('\n'),
  };
}

const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();

/** How a mail server took a message. `refused`: recipients that it does not take, beside others that it does. */
export interface MailTaken {
  readonly status: number;
  readonly refused: number;
  readonly answer: string;
}

/** A mail server that did not take a message: its status, or why there was none. Nothing of the address, and no words of the server's. */
export class MailError extends Error {
  override readonly name = 'MailError';
  /** Null: there was no answer. */
  readonly status: number | null;
  readonly code: string;
  readonly answer: string;

  constructor(status: number | null, code: string, answer: string) {
    super('the mail server did not take the message');
    this.status = status;
    this.code = code;
    this.answer = answer;
  }
}

/**
 * Hands one message to a mail server, over a connection of its own that ends with `signal`: by TLS unless the server is this machine, and
 * with the password only after that. The id becomes the `Message-ID`: a repetition is the same message. Throws MailError.
 */
export async function sendMail(
  { server, password, from, to }: MailEndpoint,
  { id, message }: { readonly id: string; readonly message: NotificationMessage },
  {
    signal,
    timeoutMs,
    ca,
  }: { readonly signal: AbortSignal; readonly timeoutMs: number; readonly ca?: string | undefined },
): Promise<MailTaken> {
  const composer = new MailComposer({
    from,
    to: [...to],
    ...mailTextOf(message),
    messageId: `<${id.replaceAll(/[^\w.-]/g, '-')}@${from.slice(from.indexOf('@') + 1)}>`,
    date: new Date(message.timestamp),
    // Nobody's out-of-office answers it (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const raw = await composer.compile().build();
  const { host, port, tls, user } = server;
  const connection = new SmtpConnection({
    host,
    port,
    secure: tls === 'start',
    requireTLS: tls === 'upgrade',
    ignoreTLS: tls === 'none',
    ...(ca === undefined ? {} : { tls: { ca } }),
    dnsTimeout: timeoutMs,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    socketCloseTimeout: 0,
    maxResponseSize: MOST_BYTES,
  });
  const ended = new Promise<never>((_, reject) => {
    connection.on('error', (error) => reject(errorOf(error)));
    connection.on('end', () => reject(new MailError(null, 'ECONNECTION', '')));
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  // What ends the connection after everything has been said is no news.
  ended.catch(() => undefined);
  try {
    return await Promise.race([ended, talk(connection, { from, to: [...to] }, { raw, user, password })]);
  } finally {
    connection.close();
  }
}

async function talk(
  connection: SmtpConnection,
  envelope: { readonly from: string; readonly to: string[] },
  {
    raw,
    user,
    password,
  }: { readonly raw: Buffer; readonly user: string | null; readonly password: string | null },
): Promise<MailTaken> {
  await new Promise<void>((resolve, reject) =>
    connection.connect((error) => ((error ?? null) === null ? resolve() : reject(errorOf(error)))),
  );
  if (user !== null)
    await new Promise<void>((resolve, reject) =>
      connection.login({ user, pass: password ?? '' }, (error) =>
        error === null ? resolve() : reject(errorOf(error)),
      ),
    );
  return new Promise<MailTaken>((resolve, reject) =>
    connection.send(envelope, raw, (error, sent) => {
      if (error !== null || sent === undefined) return reject(errorOf(error));
      const { rejected, response } = sent;
      return resolve({ status: statusOf(response) ?? 250, refused: rejected.length, answer: response });
    }),
  );
}

const statusOf = (answer: string): number | null => {
  const [status] = /^[2-5]\d\d/.exec(answer) ?? [];
  return status === undefined ? null : Number(status);
};

/** Status and code of a failure. The library's own messages quote addresses and answers. */
function errorOf(error: unknown): MailError {
  const { responseCode, code, originalCode, response } = (error ?? {}) as Readonly<Record<string, unknown>>;
  // The system's own says more than the library's `ESOCKET`.
  const known = [originalCode, code].find(
    (each): each is string => typeof each === 'string' && /^[A-Z][A-Z0-9_]{0,60}$/.test(each),
  );
  return new MailError(
    typeof responseCode === 'number' && responseCode >= 200 && responseCode < 600 ? responseCode : null,
    known ?? 'unreachable',
    typeof response === 'string' ? response : '',
  );
}

import { connect, type Socket } from 'node:net';
import type { AnswerShape } from '../answers/answer-shape.ts';
import { formatRequest, parseAnswer, sipTimeOf, type SipAnswer } from './sip-message.ts';

/** Where a Koha's SIP server is, and who its client is there: an account of its `SIPconfig.xml`. */
export interface SipAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The account's institution: Koha takes it for the branch. */
  readonly institution: string;
}

/**
 * Why there is no answer. `login`: the user or the password is wrong, or Koha does not let that user circulate; `closed`: the server ended the
 * connection; `bad_answer`: it is no answer to what was asked, as SIP 2.00 writes it.
 */
export type SipErrorCode = 'unreachable' | 'timeout' | 'closed' | 'login' | 'bad_answer';

/** A conversation with a SIP server that failed. Its message holds codes alone: nothing that was sent, and nothing of an answer. */
export class SipError extends Error {
  override readonly name = 'SipError';
  readonly code: SipErrorCode;
  /** The message that was sent: 93, 63, 11 or 09. */
  readonly operation: string;

  constructor(code: SipErrorCode, operation: string) {
    super(`SIP ${operation}: ${code}`);
    this.code = code;
    this.operation = operation;
  }
}

/** One connection that is logged in, and asks one thing at a time. Each call throws SipError. */
export interface SipConnection {
  /** Patron information (63): whether Koha knows the card, and lets its patron borrow. No PIN is sent. */
  patronInformation(card: string): Promise<{ readonly isValid: boolean; readonly isBlocked: boolean }>;
  /** Checkout (11), without a PIN. */
  checkOut(card: string, barcode: string): Promise<{ readonly isOk: boolean }>;
  /** Checkin (09). */
  checkIn(barcode: string): Promise<{ readonly isOk: boolean }>;
  close(): void;
}

interface SipOptions {
  /** How long each answer, and the connection, may take. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Hears what an answer looks like: which fields it has, and nothing of what they hold. */
  readonly onShape?: (shape: AnswerShape) => void;
}

/** More than an answer about one patron or one item ever is. */
const MAX_BYTES = 64 * 1024;
const ANSWERS: Readonly<Record<string, string>> = { '93': '94', '63': '64', '11': '12', '09': '10' };

/** Whether it says yes: of a patron that there is one, of all else by the digit after its code. */
const isYes = ({ code, head, fields }: SipAnswer): boolean =>
  code === '64' ? fields.get('BL') === 'Y' : head[2] === '1';

/** Its status is the code, and 1 or 0 for yes or no. The names of fields are letters and digits; whatever else stands there is not repeated. */
function shapeOf(operation: string, answer: SipAnswer): AnswerShape {
  const { code, fields } = answer;
  const names = [...fields.keys()].filter((name) => /^[A-Z][A-Z0-9]$/.test(name)).toSorted();
  return {
    operation: `SIP ${operation}`,
    status: Number(`${code}${isYes(answer) ? 1 : 0}`),
    parts: { '': 'object', ...Object.fromEntries(names.map((name) => [name, 'string'] as const)) },
  };
}

/** Waits for one line, of which it reads no more than a bounded number of bytes. */
function readLine(socket: Socket, operation: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (): void => {
      clearTimeout(timer);
      socket.off('data', take).off('close', closed);
    };
    const fail = (code: SipErrorCode): void => {
      end();
      reject(new SipError(code, operation));
    };
    const closed = (): void => fail('closed');
    // Koha ends a message with a line feed, too, unless the account says otherwise: that one comes before the next message.
    const take = (piece: string): void => {
      text = `${text}${piece}`.replace(/^[\r\n]+/, '');
      const at = text.search(/[\r\n]/);
      if (text.length > MAX_BYTES) fail('bad_answer');
      else if (at >= 0) {
        end();
        resolve(text.slice(0, at));
      }
    };
    const timer = setTimeout(() => fail('timeout'), timeoutMs);
    socket.on('data', take).once('close', closed);
    if (socket.destroyed) closed();
  });
}

/** Connects. Rejects with SipError. */
function open({ host, port }: SipAccess, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (code: SipErrorCode): void => {
      socket.destroy();
      reject(new SipError(code, '93'));
    };
    const timer = setTimeout(() => fail('timeout'), timeoutMs);
    socket.setEncoding('utf8');
    // Once it is connected, an error ends the connection, which whoever waits for an answer hears.
    socket.on('error', () => {
      clearTimeout(timer);
      fail('unreachable');
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/**
 * Opens a connection to a Koha's SIP server (RAW) and logs in, as a self-check does. Each message has a checksum, so Koha's answers have
 * one too. Throws SipError.
 */
export async function openSip(
  access: SipAccess,
  { timeoutMs, now, onShape = () => undefined }: SipOptions,
): Promise<SipConnection> {
  const socket = await open(access, timeoutMs);
  let sequence = 0;
  const ask = async (head: string, fields: readonly (readonly [string, string])[]): Promise<SipAnswer> => {
    const operation = head.slice(0, 2);
    const line = readLine(socket, operation, timeoutMs);
    socket.write(formatRequest(head, fields, sequence));
    const answer = parseAnswer(await line, ANSWERS[operation] ?? '', sequence);
    sequence = (sequence + 1) % 10;
    if (answer === null) throw new SipError('bad_answer', operation);
    onShape(shapeOf(operation, answer));
    return answer;
  };
  const { user, password, institution } = access;
  const terminal = [
    ['AO', institution],
    ['AC', ''],
  ] as const;
  const time = (): string => sipTimeOf(now());
  try {
    const answer = await ask('9300', [
      ['CN', user],
      ['CO', password],
      ['CP', institution],
    ]);
    if (!isYes(answer)) throw new SipError('login', '93');
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    async patronInformation(card) {
      const answer = await ask(`63000${time()}${' '.repeat(10)}`, [...terminal, ['AA', card]]);
      return { isValid: isYes(answer), isBlocked: answer.head[2] === 'Y' };
    },
    async checkOut(card, barcode) {
      const head = `11NN${time()}${' '.repeat(18)}`;
      return { isOk: isYes(await ask(head, [...terminal, ['AA', card], ['AB', barcode]])) };
    },
    async checkIn(barcode) {
      const fields = [...terminal, ['AP', institution], ['AB', barcode]] as const;
      return { isOk: isYes(await ask(`09N${time()}${time()}`, fields)) };
    },
    close: () => void socket.destroy(),
  };
}

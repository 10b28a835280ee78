import { connect } from 'node:net';

/** One HTTP answer, read from the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A socket on which a test writes what no HTTP client would. */
interface RawConnection {
  write(bytes: string | Buffer): void;
  /** The next answer, `100 Continue` aside; rejects when the connection ends without one. */
  answer(): Promise<RawAnswer>;
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Connects to 127.0.0.1 at `port`. */
export function openRaw(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  const waiting: { resolve: (answer: RawAnswer) => void; reject: (error: Error) => void }[] = [];
  const ready: RawAnswer[] = [];
  let received = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    for (let read = readAnswer(received); read !== null; read = readAnswer(received)) {
      received = received.subarray(read.length);
      if (read.answer.status < 200) continue;
      const next = waiting.shift();
      if (next === undefined) ready.push(read.answer);
      else next.resolve(read.answer);
    }
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      for (const { reject } of waiting.splice(0)) reject(new Error('the connection ended without an answer'));
      resolve();
    });
  });
  return {
    write: (bytes) => void socket.write(bytes),
    answer: () =>
      new Promise((resolve, reject) => {
        const answer = ready.shift();
        if (answer !== undefined) resolve(answer);
        else if (socket.closed) reject(new Error('the connection ended without an answer'));
        else waiting.push({ resolve, reject });
      }),
    closed,
    close: () => void socket.destroy(),
  };
}

function readAnswer(bytes: Buffer): { answer: RawAnswer; length: number } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return null;
  const status = Number(statusLine.split(' ')[1]);
  return { answer: { status, headers, body: bytes.subarray(end + 4, length).toString('utf8') }, length };
}

/** The bytes of a request; a header may be given more than once. */
export function rawRequest(request: {
  readonly line: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
}): Buffer {
  const body = Buffer.from(request.body ?? '');
  const lines = [
    `${request.line} HTTP/1.1`,
    'host: receiver',
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Sends bytes on a connection of their own and reads one answer. */
export async function sendRaw(port: number, bytes: Buffer | string): Promise<RawAnswer> {
  const connection = openRaw(port);
  try {
    connection.write(bytes);
    return await connection.answer();
  } finally {
    connection.close();
    await connection.closed;
  }
}

import type { IncomingMessage } from 'node:http';
import type { Request } from 'got';
import { buildBoundedBody } from './bounded-body.ts';

/** An answer as it came, whatever its status. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** The answer has more bytes than any answer of Koha's to this operation. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/**
 * Reads one answer piece by piece, and hangs up as soon as it is larger than `maxBytes` or says that it will be. Rejects with
 * the stream's own error, or with TooLarge.
 */
export function readAnswer(stream: Request, maxBytes: number): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const body = buildBoundedBody(maxBytes);
    let head: Omit<RawAnswer, 'body'> | undefined;
    const hangUp = (): void => {
      reject(new TooLarge());
      stream.destroy();
    };
    stream.on('error', reject);
    stream.on('response', ({ statusCode: status = 0, headers }: IncomingMessage) => {
      head = { status, headers };
      if (Number(headers['content-length'] ?? 0) > maxBytes) hangUp();
    });
    stream.on('data', (piece: Uint8Array) => {
      if (!body.add(piece)) hangUp();
    });
    stream.on('end', () => {
      if (head !== undefined) resolve({ ...head, body: body.bytes() });
    });
  });
}

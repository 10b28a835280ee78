import type { IncomingMessage } from 'node:http';
import type { Request } from 'got';
import type { KohaOperation } from './koha-operation.ts';

/** An answer as it came, whatever its status. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** What came back, whatever its status. */
export interface Answer extends RawAnswer {
  readonly operation: KohaOperation;
  /** The branch the call was made as; null where it named none. */
  readonly actingAs: string | null;
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

const FIRST_BYTES = 16 * 1024;

/**
 * Builds the place for one answer of at most `maxBytes`, in one block that never grows beyond it. Most answers are one piece, which is
 * kept as it came. `add` is false when a piece does not fit.
 */
function buildBoundedBody(maxBytes: number) {
  let block: Uint8Array = new Uint8Array(0);
  let isOurs = false;
  let length = 0;
  return {
    add: (piece: Uint8Array): boolean => {
      const wanted = length + piece.length;
      if (wanted > maxBytes) return false;
      if (length === 0) block = piece;
      else {
        if (!isOurs || wanted > block.length) {
          const larger = new Uint8Array(Math.min(maxBytes, Math.max(wanted, 2 * block.length, FIRST_BYTES)));
          larger.set(block.subarray(0, length));
          block = larger;
          isOurs = true;
        }
        block.set(piece, length);
      }
      length = wanted;
      return true;
    },
    bytes: (): Uint8Array => block.subarray(0, length),
  };
}

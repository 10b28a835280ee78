/** Bytes that arrive in pieces, kept in one block that never grows beyond its limit. */
export interface BoundedBody {
  /** False when the piece does not fit: the reader hangs up. */
  add(piece: Uint8Array): boolean;
  bytes(): Uint8Array;
}

const FIRST_BYTES = 16 * 1024;

/** Builds the place for one answer of at most `maxBytes`. Most answers are one piece, which is kept as it came. */
export function buildBoundedBody(maxBytes: number): BoundedBody {
  let block: Uint8Array = new Uint8Array(0);
  let isOurs = false;
  let length = 0;
  return {
    add: (piece) => {
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
    bytes: () => block.subarray(0, length),
  };
}

import type { PauseSide } from '@passport/queue';

/** A library is not called: its circuit is open, or an operator has paused it. */
export class LibraryClosed extends Error {
  override readonly name: string = 'LibraryClosed';
  readonly code: 'circuit_open' | 'paused';
  readonly library: string;

  constructor(library: string, code: LibraryClosed['code'] = 'circuit_open') {
    super(`${library}: ${code === 'paused' ? 'paused' : 'circuit open'}`);
    this.library = library;
    this.code = code;
  }
}

/** A library is not called, because an operator has paused it on this side. */
export class LibraryPaused extends LibraryClosed {
  override readonly name = 'LibraryPaused';
  readonly side: PauseSide;
  /** The time until the end of the pause. */
  readonly retryAfterMs: number;

  constructor(library: string, side: PauseSide, retryAfterMs: number) {
    super(library, 'paused');
    this.side = side;
    this.retryAfterMs = retryAfterMs;
  }
}

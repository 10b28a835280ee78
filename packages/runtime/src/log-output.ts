import { writeSync } from 'node:fs';

/** Whether lines reach their destination, and what was lost when they did not. */
export interface LogHealth {
  /** The last line could not be written: the disk is full, or whoever reads the pipe is gone. */
  readonly isFailing: boolean;
  /** Lines that were lost since the start; those of `audit: true` apart. */
  readonly lost: { readonly audit: number; readonly other: number };
}

/** Where the lines of a logger go. */
export interface LogOutput extends LogHealth {
  write(line: string): void;
  /** Writes what was gathered. */
  flush(done?: () => void): void;
  flushSync(): void;
  /** Resolves once the lines so far were written, or could not be: with those of others, within so many milliseconds. */
  written(withinMs: number): Promise<void>;
  /** `line` is called while lines are lost, and is to write one: the first that gets through says that all is well again. */
  onProbe(line: () => void): void;
}

/** Lines are written when there are so many of them, too. */
const GATHER_BYTES = 8 * 1024;
/** A reader of the pipe that is slow is waited for so long, once. */
const SLOW_READER_MS = 1_000;
const SLOW_STEP_MS = 10;
const PROBE_MS = 2_000;

const AUDIT = /"audit":true\b/;

/**
 * Opens a file descriptor as the destination of a logger. Writing never throws: a log that cannot be written must not
 * end a job or a request, nor pass for the trouble of something else (a full disk's ENOSPC did, for one of Redis). What
 * is not written is lost, and counted. With `gatherMs` the lines of so many milliseconds are written together.
 */
export function openLogOutput({ fd = 1, gatherMs = 0 }: { fd?: number; gatherMs?: number } = {}): LogOutput {
  const lost = { audit: 0, other: 0 };
  let gathered: string[] = [];
  let gatheredLength = 0;
  let isFailing = false;
  let isTorn = false;
  let isProbing = false;
  let hasProbed = false;
  let probe: NodeJS.Timeout | undefined;
  let writeProbe = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;

  const put = (lines: readonly string[]): void => {
    hasProbed = true;
    const bytes = Buffer.from(`${isTorn ? '\n' : ''}${lines.join('')}`);
    const written = writeAll(fd, bytes, isFailing ? 0 : SLOW_READER_MS);
    isTorn = written === 0 ? isTorn : written < bytes.length;
    if (written === bytes.length) recover();
    else fail(lines);
  };
  const recover = (): void => {
    clearInterval(probe);
    [isFailing, probe] = [false, undefined];
  };
  const fail = (lines: readonly string[]): void => {
    isFailing = true;
    probe ??= setInterval(tryAgain, PROBE_MS).unref();
    if (isProbing) return;
    for (const line of lines) lost[AUDIT.test(line) ? 'audit' : 'other'] += 1;
  };
  const tryAgain = (): void => {
    isProbing = true;
    hasProbed = false;
    writeProbe();
    flushSync();
    isProbing = false;
    // Its level is not logged: nothing can be learned, and the next line will show.
    if (!hasProbed) recover();
  };
  const flushSync = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (gathered.length === 0) return;
    const lines = gathered;
    [gathered, gatheredLength] = [[], 0];
    put(lines);
    waiters.release();
  };
  const waiters = buildWaiters(flushSync);

  return {
    write(line) {
      if (gatherMs === 0) return put([line]);
      // Only while lines wait: a process with nothing to say is not woken for it.
      timer ??= setTimeout(flushSync, gatherMs).unref();
      gathered.push(line);
      gatheredLength += line.length;
      if (gatheredLength >= GATHER_BYTES) flushSync();
    },
    flush(done) {
      flushSync();
      done?.();
    },
    flushSync,
    written: (withinMs) => (gathered.length === 0 ? Promise.resolve() : waiters.wait(withinMs)),
    onProbe(line) {
      writeProbe = line;
    },
    get isFailing() {
      return isFailing;
    },
    lost,
  };
}

/** Builds what keeps those who wait for a flush, which comes of itself in the time that the first of them has. */
function buildWaiters(flush: () => void) {
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  return {
    wait(withinMs: number): Promise<void> {
      timer ??= setTimeout(flush, withinMs);
      return new Promise((resolve) => void waiting.push(resolve));
    },
    release(): void {
      clearTimeout(timer);
      timer = undefined;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

/** Returns how many of the bytes were written; never throws. */
function writeAll(fd: number, bytes: Buffer, patienceMs: number): number {
  let written = 0;
  let waitedMs = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const isSlow = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      if (!isSlow || waitedMs >= patienceMs) return written;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_STEP_MS);
      waitedMs += SLOW_STEP_MS;
    }
  }
  return written;
}

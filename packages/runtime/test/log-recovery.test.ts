import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { type Logger, createLogger, openLogOutput } from '@passport/runtime';
import { waitFor } from '@passport/testkit';

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

/** A pipe that takes what fits, and no more until somebody reads it: a disk that is full, and free again. */
function openPipe() {
  const dir = mkdtempSync(join(tmpdir(), 'passport-pipe-'));
  closers.push(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'log');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  closers.push(() => closeSync(fd));
  const output = openLogOutput({ fd });
  const log = createLogger({ name: 'test', level: 'info', destination: output });
  return { log, output, free: (): string => readAll(fd) };
}

function readAll(fd: number): string {
  const chunk = Buffer.alloc(1_024 * 1_024);
  const text: string[] = [];
  try {
    for (;;) text.push(chunk.toString('utf8', 0, readSync(fd, chunk)));
  } catch (error) {
    // Empty: nobody writes meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  return text.join('');
}

/** A line of three pages: a pipe has sixteen, so that the last line is torn and not a byte is left. */
const LONG = 'x'.repeat(10_000);

function fill(log: Logger): void {
  for (let n = 0; !log.health.isFailing && n < 1_000; n += 1) log.info({ n, text: LONG }, 'line');
  expect(log.health.isFailing).toBe(true);
}

/** Each line, or null for one that is no JSON. */
const parsed = (text: string): (Record<string, unknown> | null)[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => {
      try {
        return JSON.parse(line) as Record<string, unknown>;
      } catch {
        return null;
      }
    });

test('a log that can be written again is well by itself, and its first line says what was lost', async () => {
  const { log, free } = openPipe();
  fill(log);
  log.info({ audit: true }, 'copied');
  free();

  await waitFor('the log to be well', () => !log.health.isFailing);

  expect(log.health.lost).toEqual({ audit: 1, other: 1 });
  expect(parsed(free()).filter((line) => line !== null)).toEqual([
    expect.objectContaining({ level: 'error', msg: 'log lines were lost', lost: 1, lost_audit: 1 }),
  ]);
});

test('the tries to write are no lines that are lost', async () => {
  const { log, output } = openPipe();
  fill(log);
  const lost = { ...output.lost };
  let tries = 0;
  output.onProbe(() => {
    tries += 1;
    output.write('{"msg":"a try"}\n');
  });

  await waitFor('the log to be tried', () => tries > 0);

  expect(output).toMatchObject({ isFailing: true, lost });
});

test('a line that was torn spoils no line after it', () => {
  const { log, free } = openPipe();
  fill(log);
  const before = parsed(free());
  log.info('after');

  expect(before.at(-1)).toBeNull();
  expect(parsed(free())).toEqual([null, expect.objectContaining({ msg: 'after' })]);
});

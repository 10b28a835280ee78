import { types } from 'node:util';
import { plainText } from './plain-text.ts';

/** All that is ever printed of an error. */
export interface PlainError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
}

const CODE = /^[A-Za-z][A-Za-z0-9_]{1,63}$/;
const FRAME = /^\s+at /;

/** True for errors of any realm and for objects that only look like one (`message` and `stack`). */
export function looksLikeError(
  value: unknown,
): value is { message: string; stack?: unknown; name?: unknown } {
  if (types.isNativeError(value)) return true;
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}

/**
 * The printable part of an error: class, code, message and stack frames. Causes, aggregated errors and every other
 * property stay behind: libraries hang requests, headers and whole Redis commands there.
 */
export function plainError(error: { message: unknown; stack?: unknown; name?: unknown }): PlainError {
  const message = plainText(String(error.message));
  const code = 'code' in error && typeof error.code === 'string' && CODE.test(error.code) ? error.code : null;
  const stack = stackFrames(error);
  return {
    type: typeof error.name === 'string' ? plainText(error.name) : 'Error',
    ...(code === null ? {} : { code }),
    message,
    ...(stack === '' ? {} : { stack }),
  };
}

/** V8 puts the message before the frames, and a message may itself hold lines that look like frames. */
function stackFrames(error: { message: unknown; stack?: unknown }): string {
  if (typeof error.stack !== 'string') return '';
  const message = String(error.message);
  const start = error.stack.indexOf(message);
  const frames = start === -1 || message === '' ? error.stack : error.stack.slice(start + message.length);
  return frames
    .split('\n')
    .filter((line) => FRAME.test(line))
    .map((line) => plainText(line.trim().replace('file://', '')))
    .join('\n');
}

import type { FieldLimit } from '@passport/contract';

const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });
const encoder = new TextEncoder();

/** Whether Koha takes a value of this length. */
export function fits(text: string, limit: FieldLimit): boolean {
  return sizeOf(text, limit) <= mostOf(limit);
}

/**
 * The longest beginning of a text that Koha takes, cut between whole characters as people see them: no half emoji, no letter
 * without its accent. Only one character that alone is too long is cut between its code points.
 */
export function fitText(text: string, limit: FieldLimit): string {
  if (fits(text, limit)) return text;
  const size = (part: string): number => sizeOf(part, limit);
  const whole = takeCharacters(text, size, mostOf(limit));
  return whole === '' ? takeParts(text, size, mostOf(limit)) : whole;
}

/** The longest beginning of whole characters whose sizes add up to `most` at the most, without a blank at its end. */
export function takeCharacters(text: string, size: (part: string) => number, most: number): string {
  return takeParts(segments(text), size, most).trimEnd();
}

/** How much is segmented at once: each step of a segmenter costs time in proportion to the text it was given (Node 20). */
const WINDOW = 256;

/**
 * The characters of a text as people see them. What a window cuts through is seen whole by the next one, which begins
 * where that character does.
 */
function* segments(text: string): Generator<string> {
  let start = 0;
  for (let size = WINDOW; start < text.length;) {
    const window = text.slice(start, start + size);
    const isLast = start + size >= text.length;
    const whole = [...characters.segment(window)].slice(0, isLast ? undefined : -1);
    for (const { segment } of whole) {
      yield segment;
      start += segment.length;
    }
    size = whole.length === 0 ? size * 2 : WINDOW;
  }
}

function takeParts(parts: Iterable<string>, size: (part: string) => number, most: number): string {
  let taken = '';
  let left = most;
  for (const part of parts) {
    left -= size(part);
    if (left < 0) break;
    taken += part;
  }
  return taken;
}

function sizeOf(text: string, limit: FieldLimit): number {
  return 'bytes' in limit ? encoder.encode(text).length : Array.from(text).length;
}

function mostOf(limit: FieldLimit): number {
  return 'bytes' in limit ? limit.bytes : limit.characters;
}

import { isSafe } from 'redos-detector';
import * as z from 'zod';

const LONGEST_PATTERN = 200;
// Most ways in which a card may be tried against a pattern. A card has at most 32 characters, yet (\d+)+$ would try 2^32 ways
// and block the worker for minutes. Counted in steps, not in time, so that the answer is the same on every machine.
const MOST_BACKTRACKS = 2_000;
const MOST_STEPS = 1_500;
/**
 * One character after the other, each of them read in one way only: whatever the card, there is nothing to try again. So
 * are most patterns, and the search for such a card takes longer than all else that is done for a library at the start.
 */
const STRAIGHT = /^\^(?:(?:[\w -]|\\d|\[[A-Z0-9-]+\])(?:\{\d{1,2}\})?)+\$?$/;

/** Whether a pattern needs no search for a card that takes long. */
export const isStraight = (pattern: RegExp): boolean => STRAIGHT.test(pattern.source);

/**
 * Whether a pattern fits whole cards alone: each of its alternatives begins with ^ and ends with $. Of `^A|B$`, the first also fits what
 * goes on behind it.
 */
export function isAnchored({ source }: RegExp): boolean {
  const outside = withoutGroups(source.replaceAll(/\\./gsu, '_').replaceAll(/\[[^\]]*\]/gu, '_'));
  return outside.split('|').every((each) => each.startsWith('^') && each.endsWith('$'));
}

function withoutGroups(pattern: string): string {
  const without = pattern.replaceAll(/\([^()]*\)/gu, '_');
  return without === pattern ? pattern : withoutGroups(without);
}

const isQuick = (pattern: RegExp): boolean =>
  isStraight(pattern) || isSafe(pattern, { maxScore: MOST_BACKTRACKS, maxSteps: MOST_STEPS }).safe;

/** A pattern of card numbers, read into a RegExp that has no state and cannot take long on any text. */
export const cardPattern = z.string().transform((pattern, context) => {
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  if (pattern.length === 0) return refuse('is empty');
  if (pattern.length > LONGEST_PATTERN) return refuse(`is longer than ${LONGEST_PATTERN} characters`);
  let compiled: RegExp;
  try {
    compiled = new RegExp(pattern, 'u');
  } catch (error) {
    // V8's message is "Invalid regular expression: /PATTERN/u: REASON"; only the reason is shown.
    const reason =
      error instanceof SyntaxError ? error.message.slice(error.message.lastIndexOf(': ') + 2) : '';
    return refuse(`is no regular expression: ${reason}`);
  }
  return isQuick(compiled)
    ? compiled
    : refuse(
        'could take very long on some cards: begin it with ^, write \\d{9} rather than \\d+, and no repetition within another',
      );
});

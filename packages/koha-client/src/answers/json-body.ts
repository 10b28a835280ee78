import * as z from 'zod';

/** Koha's description nests about 20 deep, everything else less than 6. */
const MAX_DEPTH = 64;
/** Attributes of one patron, types of one Koha, that are looked at. */
export const MAX_ATTRIBUTES = 500;

const decoder = new TextDecoder('utf-8', { fatal: true });
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** A look into a set for each byte would take longer than the parser. */
const OPENING_BRACKET = 0x5b;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACKET = 0x5d;
const CLOSING_BRACE = 0x7d;

interface Body {
  readonly body: Uint8Array;
}

/** The JSON of an answer, or undefined when it is none (HTML, truncated, empty, not UTF-8) or nested beyond reason. */
export function parseJsonBody({ body }: Body): unknown {
  if (isTooDeep(body)) return undefined;
  try {
    const json: unknown = JSON.parse(decoder.decode(body));
    return json;
  } catch {
    return undefined;
  }
}

/** Why a body could not be used, for a body that could not. */
export function causeOfBody(answer: Body): 'too_deep' | 'not_json' | 'not_koha' {
  if (isTooDeep(answer.body)) return 'too_deep';
  return parseJsonBody(answer) === undefined ? 'not_json' : 'not_koha';
}

/** A list of at most `max`; a longer one is refused before any of its elements is looked at. */
export function boundedList<T extends z.ZodType>(element: T, max: number) {
  return z.preprocess((list) => (Array.isArray(list) && list.length > max ? null : list), z.array(element));
}

/** Koha's boolean, which Perl can have turned into a bit. */
export const flagSchema = z.union([z.boolean(), z.literal([0, 1]).transform((bit) => bit === 1)]);

/**
 * Whether a JSON text nests too deep. Looked at before it is parsed: each level costs the parser, and whoever walks the result, far more
 * than the one byte that opens it.
 */
function isTooDeep(text: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPENING_BRACKET || byte === OPENING_BRACE) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === CLOSING_BRACKET || byte === CLOSING_BRACE) depth -= 1;
  }
  return false;
}

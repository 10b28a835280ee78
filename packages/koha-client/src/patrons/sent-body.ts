/** Lone halves of UTF-16 pairs, which no UTF-8 can carry: Koha refuses the whole body for one (400 at `/body`). */
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/**
 * A patron's body as Koha takes it: lone surrogates become U+FFFD, and a `lang` of null, which Koha refuses
 * (`api/v1/swagger/definitions/patron.yaml`), is left out. All else goes as it is.
 */
export function buildSentBody<T extends Readonly<Record<string, unknown>>>(body: T): T {
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) =>
      name === 'lang' && value === null ? [] : [[name, wellFormed(value)]],
    ),
  ) as T;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(LONE_SURROGATE, '\uFFFD');
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, wellFormed(part)]));
}

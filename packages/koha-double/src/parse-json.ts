const loneSurrogate = /\p{Surrogate}/u;

/**
 * What a body holds, or undefined when it is empty or no JSON: Koha takes both for "not there". Half a character is
 * no JSON to Koha's decoder.
 */
export function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  let isWhole = true;
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'), (key, value: unknown) => {
      if (loneSurrogate.test(key) || (typeof value === 'string' && loneSurrogate.test(value)))
        isWhole = false;
      return value;
    });
    return isWhole ? parsed : undefined;
  } catch {
    return undefined;
  }
}

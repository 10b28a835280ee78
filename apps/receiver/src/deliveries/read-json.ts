const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A body that is JSON in UTF-8, or null. A byte order mark is part of the bytes, and no JSON. */
export function readJson(body: Buffer): { readonly text: string; readonly json: unknown } | null {
  try {
    const text = utf8.decode(body);
    return { text, json: JSON.parse(text) };
  } catch {
    return null;
  }
}

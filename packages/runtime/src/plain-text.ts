const URL_WITH_SCHEME = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]*/gi;
const REDIS_ARGUMENTS = /,? with args beginning with:[\s\S]*$/;
const JSON_SNIPPET = /^.*is not valid JSON[\s\S]*$/s;

/** What each of the three has in it; most texts have none of it, and every text of every line comes by here. */
const SUSPICIOUS = /:\/\/|with args beginning with:|is not valid JSON/;

/**
 * Text that may be printed: addresses of any scheme become `[url]` (they carry passwords and query strings), the
 * echo of a command's arguments in Redis's errors and the echo of the input in JSON.parse's are cut.
 */
export function plainText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  return text
    .replace(REDIS_ARGUMENTS, '')
    .replace(JSON_SNIPPET, 'not valid JSON')
    .replace(URL_WITH_SCHEME, '[url]');
}

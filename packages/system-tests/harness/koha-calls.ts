import type { KohaDouble } from '@passport/koha-double';

/** Calls that an event costs: a token, a description or a word to the plugin costs the desk nothing. */
const UNCOUNTED = /^\/api\/v1\/(?:|\.html|oauth\/token|contrib\/.*)$/;

/** Starts counting: the function returned lists the calls since then, `library METHOD /path`, in their order. */
export function watchCalls(...kohas: readonly KohaDouble[]): () => readonly string[] {
  const before = kohas.map((koha) => koha.calls().at(-1)?.n ?? 0);
  return () =>
    kohas
      .flatMap((koha, place) => koha.calls(before[place]).map((call) => ({ ...call, library: koha.library })))
      .filter(({ path }) => !UNCOUNTED.test(path))
      .sort((one, other) => one.at - other.at)
      .map(({ library, method, path }) => `${library} ${method} ${path.replace('/api/v1', '')}`);
}

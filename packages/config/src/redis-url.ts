const HOST = String.raw`(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::\d{1,5})?`;
const USER = String.raw`(?:\S*@)?`;
const QUERY = String.raw`(?:\?[^\s@]*)?`;
const FORMS = [
  new RegExp(`^rediss?://${USER}${HOST}(?:/\\d{0,5})?${QUERY}$`),
  new RegExp(`^redis\\+sentinel://${USER}${HOST}(?:,${HOST})*/[A-Za-z0-9_.-]+${QUERY}$`),
  new RegExp(`^redis\\+cluster://${USER}${HOST}(?:,${HOST})*/?${QUERY}$`),
];

/** Whether `text` is the address of one Redis, of a Sentinel group or of a cluster. */
export function isRedisUrl(text: string): boolean {
  return FORMS.some((form) => form.test(text));
}

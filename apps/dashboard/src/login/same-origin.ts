/** What a browser says about where a request comes from. */
export interface RequestOrigin {
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  /** Host and port that the request was sent to. */
  readonly host: string;
}

/**
 * Whether a request that changes something may be taken. A browser sends the login by itself, also for a form or
 * script of another site, so its own word on the origin decides; a program that is no browser sends neither header
 * and holds the password itself.
 */
export function isOwnRequest({ origin, secFetchSite, host }: RequestOrigin): boolean {
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin';
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

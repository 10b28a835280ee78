import type { Consortium } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';

/** The attribute types that mark a copy anywhere in the consortium. */
export function passportTypes(consortium: Consortium): ReadonlySet<string> {
  return new Set(consortium.libraries.map(({ copy }) => copy.passportAttribute));
}

/**
 * Whether a record is a copy of somebody else's patron: it carries a passport, that is, a passport attribute with a value. An
 * emptied one is no passport, so a library can make a copy its own patron by emptying it.
 */
export function isCopy(patron: KohaPatron, types: ReadonlySet<string>): boolean {
  return passportOf(patron, types) !== null;
}

/** The library id a record's passport names, or null when it carries none. */
export function passportOf(patron: KohaPatron, types: ReadonlySet<string>): string | null {
  const passport = patron.attributes?.find(
    ({ type, value }) => types.has(type) && (value ?? '').trim() !== '',
  );
  return passport?.value?.trim() ?? null;
}

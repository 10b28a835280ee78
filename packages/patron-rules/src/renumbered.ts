import { PATRON_FIELDS } from '@passport/contract';
import type { KohaPatron, RememberedCopy } from '@passport/koha-client';
import { isSame } from './merged-copy.ts';
import { identityOf } from './patron-copy.ts';
import type { IsWritten } from './written-fields.ts';

/** A copy as its library shows it, the record at home, and what is known of what was written. */
interface NumberCase {
  readonly copy: Identity;
  readonly home: KohaPatron;
  /** What the plugin remembers; none of a copy that it does not know. */
  readonly fields: RememberedCopy['fields'];
  /** The fields that were ever passed on, by the service's own record. */
  readonly passedOn: readonly string[];
  readonly isWritten: IsWritten;
}

type Identity = Pick<KohaPatron, 'cardnumber' | 'surname' | 'firstname' | 'dateOfBirth'>;

/**
 * Whether the number at home is somebody else's by now, as after a new installation of home's Koha: another card together with another birth
 * date, or with both names. One of these alone is a replaced card, a correction or a marriage. What the lending library shows may be
 * whatever it likes, so the hash of what was written goes first; what is shown counts where the plugin remembers no value at all, or by a
 * key that is not here. What home does not have, or did not have, speaks neither way.
 */
export function isRenumbered({ copy, home, fields, passedOn, isWritten }: NumberCase): boolean {
  const values = identityOf(home);
  const hasValues = PATRON_FIELDS.some(({ name }) => fields[name] !== undefined);
  const same = (field: string, by: keyof Identity): boolean | null => {
    const shown = isSame(copy[by], home[by]);
    const hash = fields[field]?.hash;
    // Whoever takes away the hash of a name keeps no other.
    if (hash === undefined) return hasValues && passedOn.includes(field) ? false : shown;
    const value = values[field] ?? '';
    if (value === '' || isWritten(field, '', hash) === true) return null;
    return isWritten(field, value, hash) ?? shown;
  };
  if (same('cardnumber', 'cardnumber') !== false) return false;
  const isRenamed = same('firstname', 'firstname') === false && same('surname', 'surname') === false;
  return isRenamed || same('date_of_birth', 'dateOfBirth') === false;
}

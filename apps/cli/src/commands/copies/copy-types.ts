import type { Library } from '@passport/config';
import { WrongUse } from '../../program/failure.ts';

/** The types of the two attributes that make a record a copy with a home key. */
export interface CopyTypes {
  readonly passport: string;
  readonly homeKey: string;
}

/** The attribute types of a lending library. Throws WrongUse where it writes no home keys: its copies cannot be distinguished. */
export function copyTypesOf({ id, copy }: Library): CopyTypes {
  if (copy.homeKeyAttribute === null) {
    throw new WrongUse(`${id} writes no home keys: copy.home_key_attribute is null`);
  }
  return { passport: copy.passportAttribute, homeKey: copy.homeKeyAttribute };
}

import { WrongUse } from '../program/failure.ts';

/** A patron as copies and receipts name them: the home library and Koha's number there. */
export interface HomeKey {
  /** `midland:812` */
  readonly text: string;
  readonly home: string;
}

/** Parses a home key. Throws WrongUse; a card number or a name typed by mistake is not repeated. */
export function parseHomeKey(text: string): HomeKey {
  const home = /^([A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?):[1-9]\d{0,9}$/.exec(text)?.[1];
  if (home === undefined) {
    throw new WrongUse(
      "that is no home key such as midland:812: the home library's id, and the number of the patron in its Koha",
    );
  }
  return { text, home };
}

import { parsePatronNumber } from '@passport/contract';
import { WrongUse } from '../program/index.ts';

/** A patron as copies and receipts name them, such as `midland:812`: the home library, and Koha's number there. */
interface HomeKey {
  readonly home: string;
  readonly patronId: number;
}

/** What a home key names; null for any other text, which whoever writes at the lending Koha chose. */
export function splitHomeKey(text: string): HomeKey | null {
  const [, home = '', number = ''] = /^([A-Za-z0-9][A-Za-z0-9_-]{0,39}):(\d+)$/.exec(text.trim()) ?? [];
  const patronId = parsePatronNumber(number);
  return patronId === null ? null : { home, patronId };
}

/** The home library that a typed home key names. Throws WrongUse; a card number or a name typed by mistake is not repeated. */
export function homeIn(homeKey: string): string {
  const key = splitHomeKey(homeKey);
  if (key !== null && homeKey === homeKey.trim()) return key.home;
  throw new WrongUse(
    "that is no home key such as midland:812: the home library's id, and the number of the patron in its Koha",
  );
}

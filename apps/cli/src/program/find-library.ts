import type { Consortium, Library } from '@passport/config';
import { WrongUse } from './failure.ts';

/** The library that was named on the command line. Throws WrongUse with the ids there are. */
export function findLibrary({ libraries }: Consortium, id: string): Library {
  const library = libraries.find((each) => each.id === id);
  if (library !== undefined) return library;
  const known = libraries.map((each) => each.id).join(', ');
  throw new WrongUse(`there is no library "${id}"; the configuration has ${known === '' ? 'none' : known}`);
}

/** The branch to act for when none is named: the fixed one of its copies, or MAIN. */
export function branchOf({ copy }: Library): string {
  return copy.branch.kind === 'fixed' ? copy.branch.branch : 'MAIN';
}

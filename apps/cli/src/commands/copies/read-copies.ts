import type { Consortium, Library } from '@passport/config';
import type { CallOptions, KohaPatron } from '@passport/koha-client';
import { findLibrary } from '../../program/find-library.ts';
import type { OpenKoha } from '../../connect/koha-clients.ts';

/** The libraries that copies can be at: those that are enabled and have a category for copies, or the one that is named. */
export function lendersOf(consortium: Consortium, at: string | undefined): readonly Library[] {
  if (at !== undefined) return [findLibrary(consortium, at)];
  return consortium.libraries.filter(({ enabled, copy }) => enabled && copy.category !== null);
}

/** A row of a list of copies; null: somebody is there, and nothing can be read of them. */
export type CopyRow = KohaPatron | null;

/**
 * The copies at a library, read in pages of 100: by home key, or where none is written by the passport. Only those of one home
 * library, if it is named. Throws KohaError.
 */
export async function* readCopies(
  koha: OpenKoha,
  { copy }: Library,
  of: string | undefined,
  limits: CallOptions,
): AsyncGenerator<CopyRow, void, undefined> {
  const { homeKeyAttribute, passportAttribute } = copy;
  const wanted =
    homeKeyAttribute === null
      ? { type: passportAttribute, prefix: of ?? '' }
      : { type: homeKeyAttribute, prefix: of === undefined ? '' : `${of}:` };
  for await (const page of koha.listCopies(wanted, limits)) {
    yield* page.patrons;
    yield* Array<null>(page.unreadable.length + page.broken).fill(null);
  }
}

/** Counts by name, the most first. */
export function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
}

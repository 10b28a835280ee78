import type { Consortium, Library } from '@passport/config';
import type { CallOptions, KohaPatron, PatronAttribute } from '@passport/koha-client';
import { homeKeysOf } from '@passport/patron-rules';
import type { OpenKoha } from '../../connect/koha-clients.ts';
import { findLibrary, type Report, WrongUse } from '../../program/index.ts';
import type { CopyEnds } from './copy-ends.ts';

/** The types of the two attributes that make a record a copy with a home key. */
export interface CopyTypes {
  readonly passport: string;
  readonly homeKey: string;
}

/** The attribute types of a lending library. Throws WrongUse where it writes no home keys: its copies cannot be distinguished. */
export function copyTypesOf({ id, copy }: Library): CopyTypes {
  if (copy.homeKeyAttribute !== null)
    return { passport: copy.passportAttribute, homeKey: copy.homeKeyAttribute };
  throw new WrongUse(`${id} writes no home keys: copy.home_key_attribute is null`);
}

/** The first attribute of this type that has a value. */
export function attributeOf(patron: KohaPatron, type: string | null): PatronAttribute | null {
  return patron.attributes?.find((each) => each.type === type && (each.value ?? '').trim() !== '') ?? null;
}

/** The value of that attribute. */
export const valueOf = (patron: KohaPatron, type: string | null): string | null =>
  attributeOf(patron, type)?.value?.trim() ?? null;

/** The libraries that copies can be at: those that are enabled and have a category for copies, or the one that is named. */
export function lendersOf(consortium: Consortium, at: string | undefined): readonly Library[] {
  if (at !== undefined) return [findLibrary(consortium, at)];
  return consortium.libraries.filter(({ enabled, copy }) => enabled && copy.category !== null);
}

/** Those whose copies of the patrons of another library can be found; where one is named, it says so if it writes no home keys. */
export const lendersTo = (consortium: Consortium, home: string, at: string | undefined): readonly Library[] =>
  lendersOf(consortium, at).filter(
    ({ id, copy }) => id !== home && (at !== undefined || copy.homeKeyAttribute !== null),
  );

/**
 * The copies at a library, in pages of 100: by home key, or where none is written by the passport. Only those of one home library, if
 * it is named.
 */
export function listCopies(
  koha: OpenKoha,
  { copy: { homeKeyAttribute, passportAttribute } }: Library,
  of: string | undefined,
  limits: CallOptions,
) {
  return homeKeyAttribute === null
    ? koha.listCopies({ type: passportAttribute, prefix: of ?? '' }, limits)
    : koha.listCopies({ type: homeKeyAttribute, prefix: of === undefined ? '' : `${of}:` }, limits);
}

/**
 * Whose numbers the service has written into, by what the plugin remembers, and under which home key. A record that Koha merged a copy
 * into has the copy's passport and home key, and can be the library's own patron: only this distinguishes it from a copy. Null where the
 * Koha has no plugin that can say. Throws KohaError.
 */
export async function rememberedKeys(
  koha: OpenKoha,
  patronIds: readonly number[],
  limits: CallOptions,
): Promise<ReadonlyMap<number, string> | null> {
  if (patronIds.length === 0) return new Map();
  const wanted = patronIds.toSorted((one, other) => one - other);
  const range = { after: (wanted[0] ?? 0) - 1, upTo: wanted.at(-1) ?? 0, wanted };
  const rows = await koha.readRememberedCopies(range, limits);
  return rows === null ? null : new Map(rows.map(({ patronId, homeKey }) => [patronId, homeKey]));
}

/** Warns a person who ends the copies of a library of which new ones are made all the time. */
export function warnOfAgreements({ agreements }: Consortium, of: string, { progress }: Report): void {
  if (agreements.lendersOf(of).size === 0) return;
  progress(`${of} still has agreements: until they end, every scan makes a new copy`);
}

/** The outcome of a write to a copy's attributes. */
export type Written = 'written' | 'changed_meanwhile' | 'key_taken' | 'no_attribute_type';

const WRITTEN = {
  added: 'written',
  changed: 'written',
  gone: 'changed_meanwhile',
  taken: 'key_taken',
  no_such_type: 'no_attribute_type',
} as const;

/**
 * Makes a copy name this home library and this home key, the passport first: a run that ends in between is finished by the next,
 * which finds the copy by what it still lacks. `copy` was read right before, with all attributes. Never broken off. Throws KohaError.
 */
export async function writeHomeKey(
  koha: OpenKoha,
  copy: KohaPatron,
  types: CopyTypes,
  { home, homeKey }: { readonly home: string; readonly homeKey: string },
): Promise<Written> {
  const { patronId } = copy;
  const passport = attributeOf(copy, types.passport);
  const key = attributeOf(copy, types.homeKey);
  if (passport === null || passport.id === null) return 'changed_meanwhile';
  if (passport.value !== home) {
    const changed = await koha.changeAttribute({ patronId, attributeId: passport.id }, home);
    if (changed.kind !== 'changed') return 'changed_meanwhile';
  }
  if (key === null) {
    const added = await koha.addAttribute(patronId, { type: types.homeKey, value: homeKey });
    return WRITTEN[added.kind];
  }
  if (key.id === null) return 'changed_meanwhile';
  if (key.value === homeKey) return 'written';
  return WRITTEN[(await koha.changeAttribute({ patronId, attributeId: key.id }, homeKey)).kind];
}

/** The home library's id in a home key that can have one; '' otherwise. */
const homeIn = (homeKey: string): string => /^([A-Za-z0-9][A-Za-z0-9_-]{0,39}):/.exec(homeKey)?.[1] ?? '';

/**
 * Lifts what the service restricted a copy for, and removes its passport and then its home key: from then on it is the library's own patron. Nobody follows it from before the
 * first of them is removed. Safe to repeat. Throws KohaError.
 */
export async function releaseCopy(
  koha: OpenKoha,
  copy: KohaPatron,
  types: CopyTypes,
  ends: CopyEnds,
): Promise<void> {
  const { patronId, attributes } = copy;
  const homeKeys = homeKeysOf(copy, { homeKeyAttribute: types.homeKey });
  await ends.release(patronId, homeKeys);
  // Nobody looks at an own patron again: what the service restricted a copy for goes with the copy.
  if ((await koha.capabilities()).pluginRoutes) {
    for (const library of new Set(homeKeys.map(homeIn))) {
      for (const kind of ['home', 'standing'] as const)
        if (library !== '') await koha.liftRestriction({ patronId, kind, library });
    }
  }
  for (const type of [types.passport, types.homeKey]) {
    for (const attribute of attributes ?? []) {
      if (attribute.type !== type || attribute.id === null) continue;
      await koha.removeAttribute({ patronId, attributeId: attribute.id });
    }
  }
}

import type { CallOptions, KohaPatron } from '@passport/koha-client';
import type { OpenKoha } from '../koha-clients.ts';
import { attributeOf } from './describe-copy.ts';
import type { CopyTypes } from './copy-types.ts';

/** What became of a write to a copy's attributes. */
export type Written = 'written' | 'changed_meanwhile' | 'key_taken' | 'no_attribute_type';

/**
 * Makes a copy name this home library and this home key, the passport first: a run that ends in between is finished by the next,
 * which finds the copy by what it still lacks. `copy` was read right before, with all attributes. Throws KohaError.
 */
export async function writeHomeKey(
  koha: OpenKoha,
  copy: KohaPatron,
  types: CopyTypes,
  { home, homeKey }: { readonly home: string; readonly homeKey: string },
  limits: CallOptions,
): Promise<Written> {
  const { patronId } = copy;
  const passport = attributeOf(copy, types.passport);
  const key = attributeOf(copy, types.homeKey);
  if (passport === null || passport.id === null) return 'changed_meanwhile';
  if (passport.value !== home) {
    const changed = await koha.changeAttribute({ patronId, attributeId: passport.id }, home, limits);
    if (changed.kind !== 'changed') return 'changed_meanwhile';
  }
  if (key === null) {
    const added = await koha.addAttribute(patronId, { type: types.homeKey, value: homeKey }, limits);
    return ADDED[added.kind];
  }
  if (key.id === null) return 'changed_meanwhile';
  if (key.value === homeKey) return 'written';
  const changed = await koha.changeAttribute({ patronId, attributeId: key.id }, homeKey, limits);
  return CHANGED[changed.kind];
}

const ADDED = {
  added: 'written',
  gone: 'changed_meanwhile',
  taken: 'key_taken',
  no_such_type: 'no_attribute_type',
} as const;

const CHANGED = { changed: 'written', gone: 'changed_meanwhile', taken: 'key_taken' } as const;

/**
 * Removes the passport of a copy and then its home key: from then on it is the library's own patron. Safe to repeat. Throws KohaError.
 */
export async function removePassport(
  koha: OpenKoha,
  { patronId, attributes }: KohaPatron,
  types: CopyTypes,
  limits: CallOptions,
): Promise<void> {
  for (const type of [types.passport, types.homeKey]) {
    for (const attribute of attributes ?? []) {
      if (attribute.type !== type || attribute.id === null) continue;
      await koha.removeAttribute({ patronId, attributeId: attribute.id }, limits);
    }
  }
}

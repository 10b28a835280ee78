import type { KohaPatron } from '@passport/koha-client';
import { homeKeysOf } from '@passport/patron-rules';
import type { OpenKoha } from '../../connect/koha-clients.ts';
import type { CopyEnds } from './copy-ends.ts';
import type { CopyTypes } from './copy-types.ts';
import { attributeOf } from './describe-copy.ts';

/** What became of a write to a copy's attributes. */
export type Written = 'written' | 'changed_meanwhile' | 'key_taken' | 'no_attribute_type';

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
    return ADDED[added.kind];
  }
  if (key.id === null) return 'changed_meanwhile';
  if (key.value === homeKey) return 'written';
  const changed = await koha.changeAttribute({ patronId, attributeId: key.id }, homeKey);
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
 * Removes the passport of a copy and then its home key: from then on it is the library's own patron. Nobody follows it from before the
 * first of them is removed. Safe to repeat. Throws KohaError.
 */
export async function releaseCopy(
  koha: OpenKoha,
  copy: KohaPatron,
  types: CopyTypes,
  ends: CopyEnds,
): Promise<void> {
  const { patronId, attributes } = copy;
  await ends.release(patronId, homeKeysOf(copy, { homeKeyAttribute: types.homeKey }));
  for (const type of [types.passport, types.homeKey]) {
    for (const attribute of attributes ?? []) {
      if (attribute.type !== type || attribute.id === null) continue;
      await koha.removeAttribute({ patronId, attributeId: attribute.id });
    }
  }
}

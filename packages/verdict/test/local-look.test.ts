import { expect, test } from '@jest/globals';
import type { KohaPatron } from '@passport/koha-client';
import { decideLocalHolder } from '../src/index.ts';
import type { LocalHolder, LocalLook } from '../src/index.ts';
import { CARD, attribute, patron } from './builders.ts';

const passport = attribute('PASSPORTED', 'midland');
const ours = patron({ patronId: 1, attributes: [passport, attribute('PASSPORTED_ID', 'midland:812')] });
const other = patron({ patronId: 2, attributes: [passport, attribute('PASSPORTED_ID', 'midland:9')] });
const foreign = patron({ patronId: 3, attributes: [attribute('PASSPORTED', 'lakeside')] });
const keyless = patron({ patronId: 4, attributes: [passport] });
const native = patron({ patronId: 5 });
const adopted = patron({
  patronId: 6,
  attributes: [attribute('PASSPORTED', null), attribute('PASSPORTED_ID', 'midland:812')],
});
const oldCard = (of: KohaPatron): KohaPatron => ({ ...of, cardnumber: 'OLD1' });

const look = (byCard: KohaPatron[], byHomeKey: KohaPatron[], more: Partial<LocalLook> = {}): LocalHolder =>
  decideLocalHolder({
    card: CARD,
    homeId: 'midland',
    homeKey: 'midland:812',
    homeKeyAttribute: 'PASSPORTED_ID',
    passportTypes: new Set(['PASSPORTED']),
    byCard,
    byHomeKey,
    ...more,
  });

test.each<[string, KohaPatron[], KohaPatron[], LocalHolder]>([
  ['nobody', [], [], { kind: 'nobody' }],
  ['our copy', [ours], [ours], { kind: 'our_copy', patronId: 1 }],
  ['our copy, seen by card only', [ours], [], { kind: 'our_copy', patronId: 1 }],
  ['our copy with an older card', [], [oldCard(ours)], { kind: 'our_copy_older_card', patronId: 1 }],
  ['a copy of another patron of that home', [other], [], { kind: 'card_of_another', patronId: 2 }],
  ['a copy of a patron of another home', [foreign], [], { kind: 'card_of_another', patronId: 3 }],
  ['our copy older, the card on another', [other], [oldCard(ours)], { kind: 'card_of_another', patronId: 2 }],
  [
    'our copy older, the card on a native',
    [native],
    [oldCard(ours)],
    { kind: 'card_of_another', patronId: 5 },
  ],
  ['a copy without a home key', [keyless], [], { kind: 'copy_without_key', patronId: 4 }],
  ['a patron of its own', [native], [], { kind: 'native', patronId: 5 }],
  ['a patron that was our copy', [adopted], [adopted], { kind: 'native', patronId: 6 }],
  ['what only looks like the card or key', [oldCard(native)], [other], { kind: 'nobody' }],
])('the card is held by %s', (_what, byCard, byHomeKey, expected) => {
  expect(look(byCard, byHomeKey)).toEqual(expected);
});

test('without home keys a copy from that home is one without a key', () => {
  expect(look([ours], [], { homeKeyAttribute: null })).toEqual({ kind: 'copy_without_key', patronId: 1 });
});

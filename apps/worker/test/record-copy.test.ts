import { expect, test } from '@jest/globals';
import type { CopyOrder } from '../src/provision/copy-order.ts';
import { recordCopy, rememberCopy } from '../src/provision/record-copy.ts';
import { type CopyOutcome, type MadeCopy, codeOf } from '../src/provision/result.ts';
import { aScan } from './builders.ts';

const order: CopyOrder = {
  lending: 'riverside',
  eventId: 'evt_1',
  startedMs: 1_000,
  home: 'midland',
  homeKey: 'midland:812',
  branch: 'MAIN',
  body: {
    surname: 'Okafor',
    cardnumber: '21234700000017',
    library_id: 'MAIN',
    category_id: 'PT',
    extended_attributes: [],
  },
  fields: ['surname'],
  agreed: ['surname', 'email'],
  otherCards: [],
  scanned: '21234700000017',
  isOwnCard: () => true,
  passportTypes: new Set(['PASSPORTED']),
  homeKeyAttribute: 'PASSPORTED_ID',
  copyCategories: ['PT'],
  homeRecord: { surname: 'Okafor', firstname: null, dateOfBirth: null, dateEnrolled: null },
  onLookAlike: 'stop',
  searchFor: null,
  goodAt: null,
  carried: null,
  privacy: null,
  mode: 'copy',
  lookFirst: null,
};
const made: MadeCopy = {
  outcome: 'COPIED',
  reasons: [],
  home: 'midland',
  home_key: 'midland:812',
  patron_id: 44,
  disclosed: ['surname'],
};

function bench() {
  const recorded: unknown[] = [];
  const record = (result: CopyOutcome) => {
    recordCopy(scan, order, result, {
      audit: { copied: (_scan, { homeKey }, copy) => recorded.push(`audit: ${codeOf(copy)} ${homeKey}`) },
      copied: (lending, sinceScanMs) => recorded.push(`metrics: ${lending} ${sinceScanMs} ms`),
      now: () => 3_500,
    });
    if (result.kind !== 'there') return;
    rememberCopy(order, result, false, {
      remember: ({ patronId, values, made: told }) => recorded.push([patronId, values, told]),
      consortium: { libraries: [{ id: 'midland', name: 'Midland Public Library' }] } as never,
    });
  };
  return { record, recorded };
}
const scan = aScan({ wantedMs: 1_000 });

test('a copy that was made is audited, counted with the time since its scan, and remembered', () => {
  const { record, recorded } = bench();
  record({ kind: 'there', made });
  expect(recorded).toEqual([
    'audit: COPIED midland:812',
    'metrics: riverside 2500 ms',
    [
      44,
      { surname: 'Okafor', email: '', cardnumber: '21234700000017', category_id: 'PT', patron_card_lost: '' },
      { home: 'Midland Public Library', groups: ['card', 'name'] },
    ],
  ]);
});

test('a copy that was there, or could not be made, is audited alone', () => {
  const { record, recorded } = bench();
  record({ kind: 'there', made: { ...made, outcome: 'ALREADY_LOCAL', disclosed: null } });
  record({ kind: 'done', outcome: 'LOCAL_CONFLICT' });
  expect(recorded).toEqual(['audit: ALREADY_LOCAL midland:812', 'audit: LOCAL_CONFLICT midland:812']);
});

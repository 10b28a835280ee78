import { describe, expect, test } from '@jest/globals';
import type { OpenKohaClient } from '@passport/koha-client';
import { type StandingCheck, checkStanding } from '../src/sweep/check-standing.ts';
import { ENCRYPTION, FOUND, NOON, consortiumWith } from './builders.ts';

const HOME_KEY = 'midland:7';
const PASSPORT = { type: 'PASSPORT', value: 'midland' };

/** A look at a copy whose patron owes at home; what the lending Koha answers right before it is restricted. */
async function check(answers: {
  readonly attributes?: readonly { readonly type: string; readonly value: string }[];
  readonly version?: string;
}) {
  const [lending] = consortiumWith(['riverside'], {
    riverside: { standing: 'restrict', refresh: { sweep: '02:00' } },
  }).libraries;
  if (lending === undefined) throw new Error('no library');
  const ownKey = { type: lending.copy.homeKeyAttribute, value: HOME_KEY };
  const copy = { ...FOUND, attributes: [PASSPORT, ownKey] };
  const remembered = {
    patronId: copy.patronId,
    homeKey: HOME_KEY,
    version: '1',
    fields: {},
    restrictedAt: [],
    standingAt: [],
    standing: null,
  };
  const written: string[] = [];
  const write = (name: string, answer: unknown) => () => {
    written.push(name);
    return Promise.resolve(answer);
  };
  const koha = {
    readPatron: () => Promise.resolve({ ...copy, attributes: answers.attributes ?? copy.attributes }),
    readRememberedCopies: () =>
      Promise.resolve([{ ...remembered, version: answers.version ?? remembered.version }]),
    setRestriction: write('restriction', 'done'),
    rememberCopy: write('memory', { kind: 'stored', version: '2' }),
  };
  const given = {
    call: (_library: string, work: (client: OpenKohaClient) => unknown) =>
      Promise.resolve(work(koha as unknown as OpenKohaClient)),
    passOn: (_values: unknown, work: (sending: (request: () => unknown) => unknown) => unknown) =>
      Promise.resolve(work((request) => request())),
    encryption: ENCRYPTION,
    now: () => NOON,
    home: { id: 'midland', name: 'Midland' },
    lending,
    passportTypes: new Set([PASSPORT.type]),
    copy,
    homeKey: HOME_KEY,
    record: { agreed: null },
    remembered,
    isWritten: () => null,
    dryRun: false,
    sweepId: 'sweep_1',
  };
  const { findings } = await checkStanding(given as unknown as StandingCheck, ['DEBT_OVER_LIMIT']);
  return { written, findings };
}

describe('before a copy is restricted for its standing', () => {
  test('it is read again: one that is a copy still is', async () => {
    expect(await check({})).toMatchObject({ written: ['restriction', 'memory'] });
  });

  test.each([
    ['has no passport any more', []],
    ['has another home key', [PASSPORT, { type: 'PASSPORT_HOME', value: 'midland:8' }]],
  ])('the library’s own patron is not, who %s', async (_what, attributes) => {
    expect(await check({ attributes })).toEqual({ written: [], findings: ['NOT_A_COPY'] });
  });

  test('a newer check of it stays', async () => {
    expect(await check({ version: '2' })).toEqual({ written: [], findings: [] });
  });
});

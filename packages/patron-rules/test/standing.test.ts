import { expect, test } from '@jest/globals';
import { ELIGIBILITY_REASONS } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import fc from 'fast-check';
import { decideEligibility, decideStanding, type StandingCase, withoutOverridden } from '../src/index.ts';
import { TODAY, aCase, agreement, attribute, library, midland, patron } from './builders.ts';

const TYPES = new Set(['PASSPORTED']);
const lending = library('riverside', { eligibility: { maxDebt: 50, minAge: 18 } });
const standing = (of: Partial<KohaPatron>, changes: Partial<StandingCase> = {}) =>
  decideStanding({
    homeRecord: patron({ accountBalance: 0, ...of }),
    home: midland,
    lending,
    agreement: agreement('midland', 'riverside'),
    passportTypes: TYPES,
    today: TODAY,
    ...changes,
  });

test('is good for whom a first scan would copy', () => {
  expect(standing({})).toEqual([]);
});

test('is whatever a first scan would say', () => {
  const flag = fc.constantFrom(true, false, null);
  const record = fc.record({
    expiryDate: fc.constantFrom('2026-11-24', '2027-05-01', null),
    expired: flag,
    restricted: flag,
    cardLost: flag,
    incorrectAddress: flag,
    accountBalance: fc.constantFrom(0, 400, null),
    dateOfBirth: fc.constantFrom('1990-05-01', '2020-01-01', null),
    surname: fc.constantFrom('Okafor', ''),
  });
  fc.assert(
    fc.property(record, (of) => {
      const decided = decideEligibility(aCase({ patron: patron(of), lending }));
      expect(standing(of)).toEqual(decided.kind === 'not_eligible' ? decided.reasons : []);
    }),
  );
});

test('counts the categories of the agreement, and what home does not share, with no word of why', () => {
  const categories = { kind: 'only', categories: ['ST'] } as const;
  expect(standing({}, { agreement: agreement('midland', 'riverside', { categories }) })).toEqual([
    'CATEGORY_NOT_ELIGIBLE',
  ]);
  const home = library('midland', { share: { optOutAttribute: 'PRIVATE' } });
  expect(standing({ attributes: [attribute('PRIVATE', '1')] }, { home })).toEqual(['NOT_SHARED']);
  expect(standing({ attributes: null }, { home })).toEqual(['UNVERIFIABLE']);
  expect(standing({ attributes: [attribute('PASSPORTED', 'lakeside')] })).toEqual(['NOT_SHARED']);
});

test('leaves out what staff have overridden, until that lapses and for as long as the rule is soft', () => {
  const override = { soft: ['min_age'], reasons: ['UNDER_AGE'], forMs: 1 } as const;
  const soft = library('riverside', { eligibility: { minAge: 18, override } });
  const overridden = { reasons: ['UNDER_AGE', 'DEBT_OVER_LIMIT'], untilMs: 1_000 };
  const left = (of: typeof overridden | null, where: typeof soft, atMs: number) =>
    withoutOverridden(['DEBT_OVER_LIMIT', 'UNDER_AGE'], of, where, atMs);
  expect(left(overridden, soft, 1_000)).toEqual(['DEBT_OVER_LIMIT']);
  expect(left(overridden, soft, 1_001)).toEqual(['DEBT_OVER_LIMIT', 'UNDER_AGE']);
  expect(left(overridden, lending, 1_000)).toEqual(['DEBT_OVER_LIMIT', 'UNDER_AGE']);
  expect(left(null, soft, 1_000)).toEqual(['DEBT_OVER_LIMIT', 'UNDER_AGE']);
});

test('is at an end where home has anonymised the record', () => {
  expect(standing({ anonymized: true, restricted: true })).toEqual(['HOME_GONE']);
  expect(ELIGIBILITY_REASONS).not.toContain('HOME_GONE');
});

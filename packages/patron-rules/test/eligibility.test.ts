import { describe, expect, test } from '@jest/globals';
import type { Eligibility } from '@passport/config';
import { ELIGIBILITY_REASONS } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import fc from 'fast-check';
import { decideEligibility, type EligibilityDecision } from '../src/index.ts';
import { aCase, agreement, attribute, library, patron } from './builders.ts';

const decision = (of: Partial<KohaPatron>, eligibility: Partial<Eligibility> = {}): EligibilityDecision =>
  decideEligibility(aCase({ patron: patron(of), lending: library('riverside', { eligibility }) }));
const notEligible = (...reasons: string[]) => ({ kind: 'not_eligible', reasons });
const ELIGIBLE = { kind: 'eligible' };

describe('the lending library’s policy', () => {
  test('lets a patron in good standing borrow', () => {
    expect(decision({})).toEqual(ELIGIBLE);
  });

  test.each<[string, Partial<KohaPatron>, Partial<Eligibility>]>([
    ['EXPIRED', { expiryDate: '2026-11-24' }, {}],
    ['EXPIRED', { expired: true }, {}],
    ['EXPIRED', { expired: true, expiryDate: '2099-01-01' }, {}],
    ['EXPIRED', { expired: null, expiryDate: '2026-11-24' }, {}],
    ['RESTRICTED', { restricted: true }, {}],
    ['CARD_LOST', { cardLost: true }, {}],
    ['ADDRESS_UNCONFIRMED', { incorrectAddress: true }, {}],
    ['DEBT_OVER_LIMIT', { accountBalance: 25.01 }, { maxDebt: 25 }],
    ['DEBT_OVER_LIMIT', { accountBalance: 0.01 }, { maxDebt: 0 }],
    ['UNDER_AGE', { dateOfBirth: '2008-11-26' }, { minAge: 18 }],
    ['UNDER_AGE', { dateOfBirth: '2030-01-01' }, { minAge: 0 }],
    ['INCOMPLETE_RECORD', { surname: null }, {}],
    ['INCOMPLETE_RECORD', { surname: ' \u0000\n ' }, {}],
    ['INCOMPLETE_RECORD', { surname: '\u200b\u3164\u202e' }, {}],
  ])('T-12 %s for %j', (reason, of, policy) => {
    expect(decision(of, policy)).toEqual(notEligible(reason));
  });

  test.each<[string, Partial<KohaPatron>, Partial<Eligibility>]>([
    ['its flag and date', { expired: null, expiryDate: null }, {}],
    ['whether it is restricted', { restricted: null }, {}],
    ['whether the card is lost', { cardLost: null }, {}],
    ['whether the address is sure', { incorrectAddress: null }, {}],
    ['what it owes', { accountBalance: null }, { maxDebt: 25 }],
    ['its date of birth', { dateOfBirth: null }, { minAge: 18 }],
    ['its attributes', { attributes: null }, {}],
  ])('T-12 UNVERIFIABLE when home does not provide %s', (_what, of, policy) => {
    expect(decision(of, policy)).toEqual(notEligible('UNVERIFIABLE'));
  });

  test.each<[string, Partial<KohaPatron>, Partial<Eligibility>]>([
    ['the last day', { expiryDate: '2026-11-25' }, {}],
    ['no end, and Koha says it is not expired', { expiryDate: null, expired: false }, {}],
    ['a debt at the limit', { accountBalance: 25 }, { maxDebt: 25 }],
    ['a debt that is at the limit but for its binary tail', { accountBalance: 0.1 + 0.2 }, { maxDebt: 0.3 }],
    ['a credit', { accountBalance: -5 }, { maxDebt: 0 }],
    ['the birthday itself', { dateOfBirth: '2008-11-25' }, { minAge: 18 }],
    ['a debt that no rule limits', { accountBalance: 1000 }, { maxDebt: null }],
    ['an age that no rule limits', { dateOfBirth: '2026-01-01' }, { minAge: null }],
  ])('lets somebody borrow with %s', (_what, of, policy) => {
    expect(decision(of, policy)).toEqual(ELIGIBLE);
  });

  test('counts a birthday on 29 February from 1 March', () => {
    const onDay = (scannedOn: string): EligibilityDecision =>
      decideEligibility(
        aCase({
          patron: patron({ dateOfBirth: '2008-02-29', expiryDate: '2030-01-01' }),
          lending: library('riverside', { eligibility: { minAge: 18 } }),
          scannedOn,
        }),
      );
    expect(onDay('2026-02-28')).toEqual(notEligible('UNDER_AGE'));
    expect(onDay('2026-03-01')).toEqual(ELIGIBLE);
  });

  test('does not check what it allows, missing facts included, but has to know whether to carry a restriction', () => {
    const allow = { expired: 'allow', restricted: 'allow', cardLost: 'allow', addressUnconfirmed: 'allow' };
    const facts = {
      expired: null,
      expiryDate: null,
      cardLost: null,
      incorrectAddress: null,
    };
    expect(decision(facts, allow as Partial<Eligibility>)).toEqual(ELIGIBLE);
    // Who is restricted is copied with the restriction.
    const unknown = { ...facts, restricted: null };
    expect(decision(unknown, allow as Partial<Eligibility>)).toEqual(notEligible('UNVERIFIABLE'));
    const bad = { expired: true, restricted: true, cardLost: true, incorrectAddress: true };
    expect(decision(bad, allow as Partial<Eligibility>)).toEqual(ELIGIBLE);
  });

  test('T-12 names all reasons at once, in the order of the contract', () => {
    const input = aCase({
      patron: patron({
        expired: true,
        restricted: true,
        cardLost: true,
        incorrectAddress: true,
        accountBalance: 99,
        dateOfBirth: '2020-01-01',
        categoryId: 'STAFF',
        attributes: null,
        surname: null,
      }),
      lending: library('riverside', { eligibility: { maxDebt: 0, minAge: 18 } }),
      agreement: agreement('midland', 'riverside', { categories: { kind: 'only', categories: ['AD'] } }),
    });
    expect(decideEligibility(input)).toEqual(notEligible(...ELIGIBILITY_REASONS));
  });

  test('T-12 any missing or bad fact under any policy is never a yes', () => {
    const fact = fc.constantFrom(true, null);
    fc.assert(
      fc.property(
        fc.constantFrom('restricted', 'cardLost', 'incorrectAddress', 'expired'),
        fact,
        fc.record({ maxDebt: fc.option(fc.nat()), minAge: fc.option(fc.nat(100)) }),
        (flag, value, policy) => {
          const of = { [flag]: value, expiryDate: flag === 'expired' ? null : '2027-01-01' };
          expect(decision(of, policy).kind).toBe('not_eligible');
        },
      ),
    );
  });
});

describe('an agreement’s categories', () => {
  const agreed = (categories: Parameters<typeof agreement>[2], categoryId: string): EligibilityDecision =>
    decideEligibility(
      aCase({ patron: patron({ categoryId }), agreement: agreement('midland', 'riverside', categories) }),
    );

  test.each([
    [{ kind: 'only', categories: ['AD'] }, 'AD', ELIGIBLE],
    [{ kind: 'only', categories: ['AD'] }, 'CH', notEligible('CATEGORY_NOT_ELIGIBLE')],
    [{ kind: 'except', categories: ['STAFF'] }, 'STAFF', notEligible('CATEGORY_NOT_ELIGIBLE')],
    [{ kind: 'except', categories: ['STAFF'] }, 'AD', ELIGIBLE],
    [{ kind: 'except', categories: ['STAFF'] }, '', notEligible('UNVERIFIABLE')],
    [{ kind: 'all' }, '', ELIGIBLE],
  ] as const)('T-12 %j for %j', (categories, categoryId, expected) => {
    expect(agreed({ categories }, categoryId)).toEqual(expected);
  });
});

describe('the home library’s own say', () => {
  const home = (share: Parameters<typeof library>[1]) => library('midland', share);

  test('comes first: an expired patron it does not share is not shared, and no reason is named', () => {
    const input = aCase({
      patron: patron({ expired: true, categoryId: 'STAFF' }),
      home: home({ share: { categories: { kind: 'except', categories: ['STAFF'] } } }),
    });
    expect(decideEligibility(input)).toEqual({ kind: 'not_shared', because: 'category' });
  });

  test.each([null, '', '0', '1'])('keeps a patron with the opt-out attribute (value %j)', (value) => {
    const input = aCase({
      patron: patron({ attributes: [attribute('NOSHARE', value)] }),
      home: home({ share: { optOutAttribute: 'NOSHARE' } }),
    });
    expect(decideEligibility(input)).toEqual({ kind: 'not_shared', because: 'opt_out' });
  });

  test('shares a patron with other attributes', () => {
    const input = aCase({
      patron: patron({ attributes: [attribute('NOSHARE_2', '1')] }),
      home: home({ share: { optOutAttribute: 'NOSHARE' } }),
    });
    expect(decideEligibility(input)).toEqual(ELIGIBLE);
  });

  test('T-12 shares nobody about whom it cannot be known', () => {
    const noAttributes = aCase({
      patron: patron({ attributes: null }),
      home: home({ share: { optOutAttribute: 'NOSHARE' } }),
    });
    expect(decideEligibility(noAttributes)).toEqual({ kind: 'not_shared', because: 'unverifiable' });
    const noCategory = aCase({
      patron: patron({ categoryId: '' }),
      home: home({ share: { categories: { kind: 'except', categories: ['STAFF'] } } }),
    });
    expect(decideEligibility(noCategory)).toEqual({ kind: 'not_shared', because: 'unverifiable' });
  });
});

import { describe, expect, test } from '@jest/globals';
import type { PatronRestriction } from '@passport/koha-client';
import { carriedFields, carriedRestriction, carriedText } from '@passport/patron-rules';
import { library } from './builders.ts';

const TODAY = '2026-11-29';
const one = (more: Partial<PatronRestriction> = {}): PatronRestriction => ({
  type: 'MANUAL',
  until: null,
  comment: null,
  ...more,
});
const SHOWN = { today: TODAY, eligibility: library('riverside').eligibility };
const carried = (...rows: PatronRestriction[]) => carriedRestriction(rows, SHOWN);

describe('the restriction that a copy gets for those at home', () => {
  test('ends with the last of them, and names the type of each once', () => {
    const rows = [
      one({ type: 'SUSPENSION', until: '2026-12-10' }),
      one({ type: 'OVERDUES', until: '2027-01-01' }),
      one({ type: 'SUSPENSION', until: '2026-12-24' }),
    ];
    expect(carried(...rows)).toEqual({
      until: '2027-01-01',
      codes: ['SUSPENSION', 'OVERDUES'],
      comment: null,
    });
    expect(carried(...rows, one()).until).toBeNull();
  });

  test('has no end where home cannot say, or names none that lasts: the copy borrows no more freely than at home', () => {
    const endless = { until: null, codes: [], comment: null };
    expect(carriedRestriction(null, SHOWN)).toEqual(endless);
    expect(carried()).toEqual(endless);
    expect(carried(one({ until: '1970-01-01' }))).toEqual(endless);
  });

  test('keeps its end on its last day, which may last longer at home than here', () => {
    const ended = one({ type: 'OVERDUES', until: '1970-01-01' });
    const rows = [ended, one({ type: 'SUSPENSION', until: TODAY })];
    expect(carried(...rows)).toEqual({ until: TODAY, codes: ['SUSPENSION'], comment: null });
  });

  test.each([
    ['<script>alert("x")</script>', 'script alert( x ) /script'],
    ['two\nlines\u202e and \u0000more', 'two lines and more'],
    ['[% USE x %]<<borrowers.surname>>', 'USE x borrowers.surname'],
    ['Was nicht zurückkam: 3 Bücher', 'Was nicht zurückkam: 3 Bücher'],
    ['""', null],
    ['x'.repeat(300), 'x'.repeat(100)],
  ])('takes of what staff have noted nothing but text, and not all of it: %j', (comment, expected) => {
    expect(carried(one({ comment })).comment).toBe(expected);
  });

  test('names neither type nor note where the desks of the lending library see no reasons', () => {
    const rows = [one({ until: '2027-01-01', comment: 'Late' })];
    const shown = { ...SHOWN, eligibility: { ...SHOWN.eligibility, showReasons: false } };
    expect(carriedRestriction(rows, shown)).toEqual({ until: '2027-01-01', codes: [], comment: null });
  });

  test('joins different notes, and names what leaves', () => {
    const both = carried(one({ comment: 'Late' }), one({ comment: 'Late' }), one({ comment: 'Loud' }));
    expect(both.comment).toBe('Late; Loud');
    expect(carriedFields(both)).toEqual(['restricted', 'restriction_comment']);
    expect(carriedFields(carried(one()))).toEqual(['restricted']);
    expect(carriedText(both)).not.toBe(carriedText(carried(one())));
  });
});

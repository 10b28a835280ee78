import { expect, test } from '@jest/globals';
import type { Silent } from '@passport/patron-rules';
import { tryAgain } from '../src/provision/find-patron.ts';

const unheard = (...silent: Silent[]) => tryAgain('riverside', { silent, refused: [] });
const midland: Silent = { library: 'midland', reason: 'RATE_LIMITED', retryAfterMs: 600_000 };
const lakeside: Silent = { library: 'lakeside', reason: 'NO_ANSWER', retryAfterMs: null };

test('one library’s patience keeps nobody from querying another that was silent', () => {
  expect(unheard(midland, lakeside)).toMatchObject({ library: 'lakeside', retryAfterMs: null });
  expect(unheard(midland, { ...midland, library: 'lakeside', retryAfterMs: 5_000 })).toMatchObject({
    retryAfterMs: 5_000,
  });
  expect(unheard(midland)).toMatchObject({ library: 'midland', retryAfterMs: 600_000 });
});

test('an open circuit beside another silence is noted, so that its return promotes the job', () => {
  expect(unheard({ ...midland, reason: 'CIRCUIT_OPEN', retryAfterMs: null }, lakeside)).toMatchObject({
    library: 'lakeside',
    reason: 'NO_ANSWER',
    closed: ['midland'],
    otherwise: { outcome: 'HOME_UNREACHABLE', homes: ['midland', 'lakeside'] },
  });
});

import { expect, test } from '@jest/globals';
import { releases } from '../src/index.ts';
import { releasesToTest } from '../src/release.ts';

test.each([
  ['a commit', undefined, [releases[0], '24.11', releases.at(-1)]],
  ['a commit whose workflow has an empty variable', '', [releases[0], '24.11', releases.at(-1)]],
  ['the night', '1', releases],
])('%s tests with these releases', (_what, nightly, tested) => {
  expect(releasesToTest(nightly)).toEqual(tested);
});

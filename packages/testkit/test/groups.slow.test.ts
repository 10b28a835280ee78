import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');
const { GROUPS } = (await import(join(ROOT, 'scripts/jest/run-jest.mjs'))) as {
  GROUPS: Readonly<Record<'fast' | 'all', readonly { readonly args: readonly string[] }[]>>;
};

async function filesOf(args: readonly string[]): Promise<readonly string[]> {
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const { stdout } = await promisify(execFile)(process.execPath, [jest, '--listTests', ...args], {
    cwd: ROOT,
  });
  return stdout
    .trim()
    .split('\n')
    .map((path) => path.slice(ROOT.length + 1));
}

test('the groups of all tests have each file once, and the fast tier no slow one but its four', async () => {
  const [every, ...groups] = await Promise.all([[], ...GROUPS.all.map(({ args }) => args)].map(filesOf));
  expect(groups.flat().toSorted()).toEqual(every?.toSorted());

  const fast = (await Promise.all(GROUPS.fast.map(({ args }) => filesOf(args)))).flat();
  expect(fast.length).toBeGreaterThan(200);
  const slow = fast.filter(
    (name) => name.startsWith('packages/system-tests/') || name.endsWith('.slow.test.ts'),
  );
  expect(slow.toSorted()).toEqual(
    ['bundles', 'once', 'perl-sender', 'workflow'].map((name) => `packages/system-tests/e2e/${name}.test.ts`),
  );
}, 120_000);

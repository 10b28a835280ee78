import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startChromium } from '../src/index.ts';
import { startService } from '../src/start-services.ts';

interface TestFile {
  readonly path: string;
}
interface Sequencer {
  sort(tests: readonly TestFile[]): readonly TestFile[];
  shard(tests: readonly TestFile[], options: { shardIndex: number; shardCount: number }): readonly TestFile[];
}
type Durations = Readonly<Record<string, number>>;

const ROOT = join(import.meta.dirname, '../../..');
const script = async <T>(name: string): Promise<T> => (await import(join(ROOT, 'scripts', name))) as T;
const { default: LongestFirst, readDurations } = await script<{
  default: new () => Sequencer;
  readDurations(): Durations;
}>('jest/longest-first.mjs');
interface TestFileResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}
interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly unsteady: readonly string[];
  readonly files: readonly TestFileResult[];
  readonly failedFiles: readonly TestFileResult[];
  readonly seconds: Durations;
}
type Group = { readonly args: readonly string[]; readonly again?: boolean };
const { runTier, slownessOf } = await script<{
  runTier(
    tier: 'fast' | 'all',
    run: (group: Group) => Promise<Result>,
    how: { tell(line: string): void; onQuiet?(): void; durations?: Durations },
  ): Promise<Result>;
  slownessOf(seconds: Durations, usual: Durations): number;
}>('jest/run-jest.mjs');
const known = Object.entries(readDurations()).toSorted(([, one], [, other]) => other - one);
const [longest = '', ...rest] = known.map(([name]) => join(ROOT, name));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passport-tiers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A file that no run has measured, of so many bytes. */
function unknownFile(name: string, size: number): TestFile {
  const path = join(folder, name);
  writeFileSync(path, 'x'.repeat(size));
  return { path };
}

describe('the order of test files', () => {
  test('is the longest first, then those of which only the size is known', () => {
    const shortest = rest.at(-1) ?? '';
    const [large, small] = [unknownFile('large', 9_000), unknownFile('small', 100)];
    const ordered = new LongestFirst().sort([small, { path: shortest }, large, { path: longest }]);
    expect(ordered.map(({ path }) => path)).toEqual([longest, shortest, large.path, small.path]);
  });

  test('puts each file into one shard, and the two longest into different ones', () => {
    const files = [longest, ...rest].map((path) => ({ path }));
    const shards = [1, 2, 3].map((shardIndex) =>
      new LongestFirst().shard(files, { shardIndex, shardCount: 3 }),
    );
    expect(
      shards
        .flat()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(files.map(({ path }) => path).sort());
    const shardOf = (wanted: string) =>
      shards.findIndex((shard) => shard.some(({ path }) => path === wanted));
    expect(shardOf(longest)).not.toBe(shardOf(rest[0] ?? ''));
  });
});

describe('how slow a machine is', () => {
  const usual = { a: 1, b: 2, c: 4 };

  test.each([
    ['as quick as the one that was measured', { a: 1, b: 2, c: 4 }, 1],
    ['quicker', { a: 0.5, b: 1, c: 2 }, 1],
    ['with other work', { a: 3, b: 6, c: 12 }, 3],
    ['the same, and one file that became long', { a: 1, b: 2, c: 40 }, 1],
    ['of which nothing is known', { d: 9 }, 1],
  ])('%s', (_what, seconds, times) => {
    expect(slownessOf(seconds, usual)).toBe(times);
  });
});

describe('a file that fails beside others', () => {
  const resultOf = (files: readonly TestFileResult[]): Result => ({
    passed: files.reduce((sum, { passed }) => sum + passed, 0),
    failed: files.reduce((sum, { failed }) => sum + failed, 0),
    skipped: [],
    unsteady: [],
    files,
    failedFiles: files.filter(({ failed }) => failed > 0),
    seconds: Object.fromEntries(files.map(({ name, seconds }) => [name, seconds])),
  });
  const good = { name: 'good.test.ts', passed: 5, failed: 0, seconds: 1 };
  /** Files beside others, and the same alone. */
  async function tierOf(
    beside: readonly TestFileResult[],
    alone: readonly TestFileResult[],
    durations: Durations = {},
  ) {
    const again: string[][] = [];
    const long: string[] = [];
    let first = true;
    const result = await runTier(
      'fast',
      async ({ args, again: isAgain }) => {
        if (isAgain === true) again.push([...args]);
        const files = isAgain === true ? alone : first ? beside : [];
        first = false;
        return Promise.resolve(resultOf(files));
      },
      { tell: (line) => void long.push(...(/^long {2}(.*): \d/.exec(line)?.slice(1) ?? [])), durations },
    );
    const { passed, failed, unsteady } = result;
    return { passed, failed, unsteady, again, long };
  }
  const slow = { name: 'x.test.ts', passed: 2, failed: 0, seconds: 9 };
  const broken = { name: 'y.test.ts', passed: 1, failed: 1, seconds: 1 };

  test.each([
    [
      'failed, and not alone',
      [broken],
      [{ ...broken, passed: 2, failed: 0 }],
      { passed: 7, failed: 0, unsteady: ['y.test.ts'] },
    ],
    ['failed, also alone', [broken], [broken], { passed: 6, failed: 1, unsteady: [] }],
  ])('%s', async (_what, beside, alone, counts) => {
    const again = [beside.map(({ name }) => name)];
    expect(await tierOf([good, ...beside], alone)).toEqual({ ...counts, again, long: [] });
  });

  test('a fast file that takes long is named and not run again, and neither are many failures', async () => {
    const long = { ...slow, name: 'packages/system-tests/fault/x.test.ts' };
    const other = { ...slow, name: 'apps/worker/test/x.slow.test.ts' };
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({ ...broken, name: `${name}.test.ts` }));
    expect(await tierOf([slow], [])).toEqual({
      passed: 2,
      failed: 0,
      unsteady: [],
      again: [],
      long: ['x.test.ts'],
    });
    expect(await tierOf([long, other, ...many], [])).toEqual({
      passed: 11,
      failed: 7,
      unsteady: [],
      again: [],
      long: [],
    });
  });

  test('one that is known to take long is named when it takes longer still', async () => {
    const usual = { 'x.test.ts': 20, 'y.test.ts': 3, 'z.test.ts': 4 };
    const files = Object.entries(usual).map(([name, seconds]) => ({ ...good, name, seconds }));
    const longOf = async (seconds: number) =>
      (await tierOf([{ ...slow, seconds }, ...files.slice(1)], [], usual)).long;
    expect(await longOf(20)).toEqual([]);
    expect(await longOf(39)).toEqual([]);
    expect(await longOf(41)).toEqual(['x.test.ts']);
  });
});

test.each([
  ['fast', 1],
  ['all', 2],
] as const)('what measures times in %s may begin with the last groups, %i of them', async (tier, last) => {
  const seen: string[] = [];
  const nothing = {
    passed: 0,
    failed: 0,
    skipped: [],
    unsteady: [],
    files: [],
    failedFiles: [],
    seconds: {},
  };
  const run = async (): Promise<Result> => Promise.resolve(nothing).finally(() => seen.push('group'));
  await runTier(tier, run, { tell: () => undefined, onQuiet: () => void seen.push('quiet') });
  expect(seen.indexOf('quiet')).toBeGreaterThan(0);
  expect(seen.length - 1 - seen.indexOf('quiet')).toBe(last);
  expect(seen.filter((each) => each === 'quiet')).toHaveLength(1);
});

describe('in the fast tier', () => {
  let before: string | undefined;
  beforeEach(() => {
    before = process.env['FAST_TESTS'];
    process.env['FAST_TESTS'] = '1';
  });
  afterEach(() => {
    if (before === undefined) delete process.env['FAST_TESTS'];
  });

  test.each([
    ['a process of ours', () => startService({ name: 'worker', root: ROOT, env: {}, logFile: '' })],
    ['a browser', () => startChromium()],
  ])('%s is not started', async (_what, start) => {
    await expect(start()).rejects.toThrow('*.slow.test.ts');
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'passport-jest-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Ran {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs files in one process, as Jest of this repository does, and returns what became of each test. */
function runFiles(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const config = {
    runtime: join(ROOT, 'scripts/jest/runtime.mjs'),
    testEnvironment: join(ROOT, 'scripts/jest/environment.mjs'),
    testMatch: ['**/*.test.ts'],
    transform: {},
    cacheDirectory: join(dir, 'cache'),
  };
  const { stdout } = spawnSync(
    process.execPath,
    [
      `--import=${join(ROOT, 'scripts/jest/typescript.mjs')}`,
      join(ROOT, 'node_modules/jest/bin/jest.js'),
      '--rootDir',
      dir,
      '--config',
      JSON.stringify(config),
      '--runInBand',
      '--json',
    ],
    { cwd: dir, encoding: 'utf8', timeout: 60_000 },
  );
  const { testResults } = JSON.parse(stdout) as Ran;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Map(
    tests.map(({ title, status, failureMessages }) => [title, `${status} ${failureMessages.join()}`.trim()]),
  );
}

test('files share what they import, and each has hooks, an environment and fake timers of its own', () => {
  const results = runFiles({
    'helper.ts': `import { appendFileSync } from 'node:fs';
      import { afterEach } from '@jest/globals';
      export const shared: { loaded: number } = { loaded: Math.random() };
      export const noteEnds = (name: string) => afterEach(() => appendFileSync('notes', name));`,
    ...Object.fromEntries(
      ['one', 'two'].map((name) => [
        `${name}.test.ts`,
        `import { expect, jest, test } from '@jest/globals';
        import { noteEnds, shared } from './helper.ts';
        noteEnds('${name} ');
        test('${name}', () => {
          expect(process.env['LEFT']).toBeUndefined();
          process.env['LEFT'] = 'here';
          expect(Date.now()).toBeGreaterThan(1_000);
          jest.useFakeTimers({ now: 500 });
          const all = globalThis as { before?: number };
          if (all.before !== undefined) expect(shared.loaded).toBe(all.before);
          all.before = shared.loaded;
        });`,
      ]),
    ),
  });
  expect([results.get('one'), results.get('two')]).toEqual(['passed', 'passed']);
  expect(readFileSync(join(dir, 'notes'), 'utf8').trim().split(' ').toSorted()).toEqual(['one', 'two']);
});

test('nothing of Jest is left in the process for the next file to pay for', () => {
  const names = ['one', 'two', 'three'];
  const results = runFiles(
    Object.fromEntries(
      names.map((name) => [
        `${name}.test.ts`,
        `import { executionAsyncResource } from 'node:async_hooks';
        import { expect, test } from '@jest/globals';
        test('${name}', async () => {
          await Promise.resolve();
          const all = globalThis as { [key: symbol]: unknown[]; first?: object };
          const seen = {
            handlers: all[Symbol.for('EVENT_HANDLERS')]?.length,
            stores: Object.getOwnPropertySymbols(executionAsyncResource()).filter(({ description }) => description === 'kResourceStore').length,
          };
          expect(seen.handlers).toBeGreaterThan(1);
          all.first ??= seen;
          expect(seen).toEqual(all.first);
        });`,
      ]),
    ),
  );
  expect(Object.fromEntries(results)).toEqual({ one: 'passed', two: 'passed', three: 'passed' });
});

test('what fails, hangs or rejects is reported, with the line of the source', () => {
  const results = runFiles({
    'wrong.test.ts': `import { expect, test } from '@jest/globals';
      interface Longer {
        readonly than: string;
      }
      test('fails', () => {
        expect({ than: 'one' } satisfies Longer).toEqual({ than: 'two' });
      });
      test('hangs', () => new Promise<void>(() => undefined), 50);
      test('rejects', async () => {
        void Promise.reject(new Error('not awaited'));
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
      test.skip('skipped', () => undefined);
      test('passes', () => undefined);`,
  });
  expect(Object.fromEntries(results)).toEqual({
    fails: expect.stringMatching(/^failed [\s\S]*wrong\.test\.ts\?\d+:6:50/) as unknown,
    hangs: expect.stringMatching(/^failed [\s\S]*Exceeded timeout of 50 ms/) as unknown,
    rejects: expect.stringMatching(/^failed [\s\S]*not awaited/) as unknown,
    skipped: 'pending',
    passes: 'passed',
  });
});

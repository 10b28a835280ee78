import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stderr } from 'node:process';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
}

const script = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../../scripts/${name}`, import.meta.url).href)) as T;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passport-prove-'));
  mkdirSync(join(folder, 't'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { has } = await script<{ has(program: string): boolean }>('system-packages.mjs');
const { runProve } = await script<{
  runProve(options: { cwd: string; tier?: 'fast' | 'all' }): Promise<Counts>;
}>('run-prove.mjs');
const hasProve = has('prove');
if (!hasProve) stderr.write('Skipped: counting of Perl tests (no prove on the PATH)\n');

(hasProve ? test : test.skip)(
  'every file that skips its tests is counted with its reason, however long its name',
  async () => {
    const skips = (reason: string): string => `use Test::More skip_all => '${reason}';`;
    writeFileSync(join(folder, 't', 'on-mariadb.t'), skips('MariaDB: mariadbd is not on this machine'));
    writeFileSync(join(folder, 't', 'x.t'), skips('no such thing'));
    writeFileSync(join(folder, 't', 'works.t'), 'use Test::More; ok 1; ok 1; done_testing;');

    const { passed, failed, skipped } = await runProve({ cwd: folder });
    expect({ passed, failed }).toEqual({ passed: 2, failed: 0 });
    expect([...skipped].sort()).toEqual([
      'apps/koha-plugin: MariaDB: mariadbd is not on this machine',
      'apps/koha-plugin: no such thing',
    ]);
  },
);

(hasProve ? test : test.skip)('the fast tests have no file that starts a MariaDB', async () => {
  for (const name of ['concurrency.t', 'on-mariadb.t', 'upgrade.t'])
    writeFileSync(join(folder, 't', name), "use Test::More; fail 'a MariaDB'; done_testing;");
  writeFileSync(join(folder, 't', 'works.t'), 'use Test::More; ok 1; done_testing;');

  expect(await runProve({ cwd: folder, tier: 'fast' })).toMatchObject({ passed: 1, failed: 0, skipped: [] });
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitFor } from '../src/index.ts';

const ROOT = join(import.meta.dirname, '../../..');
const JEST = join(ROOT, 'node_modules/jest/bin/jest.js');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'passport-jest-worker-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a test that leaves a process and a server behind ends with its worker, and Jest says nothing of it', async () => {
  writeFileSync(
    join(dir, 'leaves.test.js'),
    `test('leaves', () => {
       require('node:net').createServer().listen(0);
       const { pid } = require('node:child_process').spawn('sleep', ['300']);
       require('node:fs').writeFileSync(${JSON.stringify(join(dir, 'pid'))}, String(pid));
     });`,
  );
  writeFileSync(join(dir, 'other.test.js'), "test('other', () => undefined);");
  const config = { workerIdleMemoryLimit: '1GB', cacheDirectory: join(dir, 'cache') };
  writeFileSync(join(dir, 'jest.config.json'), JSON.stringify(config));
  const hook = `--import=${join(ROOT, 'scripts/jest/end-with-jest.mjs')}`;
  const args = [hook, JEST, '--rootDir', dir, '--config', join(dir, 'jest.config.json'), '--maxWorkers=2'];

  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: dir, timeout: 60_000 });

  expect(stderr).toContain('2 passed');
  expect(stderr).not.toMatch(/exit/);
  const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
  await waitFor('the process to be gone', () => !isRunning(pid));
}, 90_000);

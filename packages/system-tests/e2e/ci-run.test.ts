import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../../.ci/run', import.meta.url));
const KOHA = 'koha/openapi/koha-subset.yaml';
const ENGINE = 'compose-lab/compose-lab';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);
function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'passport-ci-')));
  mkdirSync(at('work/checkout/.ci'), { recursive: true });
  copyFileSync(SCRIPT, at('work/checkout/.ci/run'));
  for (const program of ['node', 'npm'])
    write(
      at('bin', program),
      `#!/bin/sh\necho "$KOHA_OPENAPI|$MAKE_CONTAINER_ENGINE" >>"${at('seen')}"\n`,
      0o755,
    );
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What a run's commands find in the environment, and what it says beside how long its parts took. */
function run(env: Readonly<Record<string, string>> = {}) {
  const { status, stderr } = spawnSync('bash', [at('work/checkout/.ci/run')], {
    env: { PATH: `${at('bin')}:/usr/bin:/bin`, ...env },
    encoding: 'utf8',
  });
  const seen = spawnSync('sort', ['-u', at('seen')], { encoding: 'utf8' }).stdout.trim();
  return { status, stderr: stderr.replaceAll(/^[\w -]+: \d+ s\n/gm, ''), seen };
}
function share(folder: string): void {
  write(at(folder, KOHA), 'swagger: "2.0"');
  write(at(folder, ENGINE), '#!/bin/sh\n', 0o755);
}

test('without anything beside the checkout, nothing is named', () => {
  expect(run()).toEqual({ status: 0, stderr: '', seen: '|' });
});

test('what is in the folder beside the checkout is taken', () => {
  share('work/shared');
  expect(run()).toEqual({
    status: 0,
    stderr: '',
    seen: `${at('work/shared', KOHA)}|${at('work/shared', ENGINE)}`,
  });
});

test('one setting names another folder, and what the environment names itself goes before it', () => {
  share('work/shared');
  share('elsewhere');
  const env = { PASSPORT_CI_SHARED: at('elsewhere'), KOHA_OPENAPI: '/a/checkout/of/koha' };
  expect(run(env).seen).toBe(`/a/checkout/of/koha|${at('elsewhere', ENGINE)}`);
});

test('the last line is that of all tests, after what ended later, whose failure is one of the run', () => {
  share('work/shared');
  const script = `#!/bin/sh
case "$*" in
  *test:compose*) sleep 1; echo one container failed; exit 1 ;;
  *test:all*) echo of all tests; echo Tests: 3 passed, 0 failed, 0 skipped ;;
esac\n`;
  write(at('bin/npm'), script, 0o755);
  const { status, stdout } = spawnSync('bash', ['-c', `bash ${at('work/checkout/.ci/run')} 2>&1`], {
    env: { PATH: `${at('bin')}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
  expect(stdout).toMatch(
    /^of all tests\n(?:.*\n)*one container failed\nTests: 3 passed, 0 failed, 0 skipped\n$/m,
  );
  expect(status).toBe(1);
});

test('a folder that is named and is not there ends the run', () => {
  expect(run({ PASSPORT_CI_SHARED: at('nowhere') })).toEqual({
    status: 1,
    stderr: `PASSPORT_CI_SHARED: no folder ${at('nowhere')}\n`,
    seen: '',
  });
});

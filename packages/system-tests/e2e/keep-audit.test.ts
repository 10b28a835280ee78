import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const SCRIPT = join(ROOT, 'deploy/logging/passport-keep-audit');

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { readonly profiles?: readonly string[]; readonly logging?: { driver: string; options: object } }
    >
  >;
}

let dir: string;
const at = (name: string): string => join(dir, name);
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'passport-audit-'));
  // A journal is a file of lines here, and its cursor how many of them were read; as of the real one, it is written at the end.
  writeFileSync(
    at('journalctl'),
    `#!/bin/sh
for arg in "$@"; do
  case "$arg" in
    --field=_SYSTEMD_UNIT) printf '%s\\n' session-3.scope patron-passport-worker@1.service ssh.service; exit ;;
    --identifier=patron-passport) asked=yes ;;
    --cursor-file=*) cursor=\${arg#*=} ;;
  esac
done
[ "$asked" = yes ] || exit 2
echo "$*" >"${at('asked')}"
seen=$(cat "$cursor" 2>/dev/null || echo 0)
tail -n "+$((seen + 1))" "${at('journal')}"
wc -l <"${at('journal')}" >"$cursor"
`,
  );
  chmodSync(at('journalctl'), 0o755);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const log = (...lines: readonly object[]): void =>
  writeFileSync(at('journal'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { flag: 'a' });
const keep = (file = at('audit.ndjson')) =>
  spawnSync('sh', [SCRIPT, file, dir], {
    env: { ...process.env, PATH: `${dir}:${process.env['PATH'] ?? ''}` },
    encoding: 'utf8',
  });
const kept = (): unknown[] =>
  readFileSync(at('audit.ndjson'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { event: unknown }).event);

const audit = (event: string) => ({ level: 30, audit: true, action: 'looked up', event });
const other = (event: string) => ({ level: 30, event, msg: 'processed' });

describe('passport-keep-audit', () => {
  test('keeps each audit line once, and no other', () => {
    log(audit('evt_1'), other('evt_1'), audit('evt_2'));
    expect(keep()).toMatchObject({ status: 0, stderr: '' });
    log(other('evt_3'));
    expect(keep().status).toBe(0);
    log(audit('evt_4'));
    expect(keep().status).toBe(0);
    expect(kept()).toEqual(['evt_1', 'evt_2', 'evt_4']);
    expect(readdirSync(dir).filter((name) => name.startsWith('new.'))).toEqual([]);
  });

  test('reads lines of root and of our units alone, whatever identifier another account writes under', () => {
    log(audit('evt_1'));
    keep();
    expect(readFileSync(at('asked'), 'utf8')).toContain(
      ' --identifier=patron-passport _UID=0 + _SYSTEMD_UNIT=patron-passport-worker@1.service --cursor-file=',
    );
  });

  test('brings a line again that could not be written', () => {
    log(audit('evt_1'));
    expect(keep('/nowhere/audit.ndjson').status).not.toBe(0);
    expect(existsSync(at('cursor'))).toBe(false);
    expect(keep().status).toBe(0);
    expect(kept()).toEqual(['evt_1']);
  });
});

describe('the examples of deploy/logging', () => {
  test('have every process of the product, and the command, in the journal under the name that the script asks for', () => {
    const { services } = parse(read('deploy/logging/compose.journald.yml')) as Compose;
    const { services: all } = parse(read('docker-compose.yml'), { merge: true }) as Compose;
    const product = Object.entries(all)
      .filter(([, { profiles }]) => profiles === undefined || profiles.includes('tools'))
      .map(([name]) => name);
    expect(Object.keys(services).toSorted()).toEqual(product.toSorted());
    for (const { logging } of Object.values(services))
      expect(logging).toEqual({ driver: 'journald', options: { tag: 'patron-passport' } });
    expect(readFileSync(SCRIPT, 'utf8')).toContain('--identifier=patron-passport');
  });

  test('rotate the file that is written, and call the script that is installed', () => {
    const [, file] = /^file=\$\{1:-(.*)\}$/m.exec(readFileSync(SCRIPT, 'utf8')) ?? [];
    expect(read('deploy/logging/patron-passport-audit.logrotate').split(' ')[0]).toBe(file);
    expect(read('docs/logs.md')).toContain('/usr/local/sbin/');
    expect(read('deploy/logging/patron-passport-audit.service')).toContain(
      'ExecStart=/usr/local/sbin/passport-keep-audit',
    );
  });

  test('leave a container more than a day of lines at an event a second', () => {
    const { 'x-logging': logging } = parse(read('docker-compose.yml')) as {
      'x-logging': { options: { 'max-size': string; 'max-file': string; compress: string } };
    };
    const megabytes = Number.parseInt(logging.options['max-size'], 10) * Number(logging.options['max-file']);
    expect(megabytes * 1e6).toBeGreaterThan(86_400 * 1_400);
    expect(logging.options.compress).toBe('true');
  });
});

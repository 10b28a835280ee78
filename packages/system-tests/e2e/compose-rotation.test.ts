import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { beforeEach, expect, test } from '@jest/globals';
import { at, canRun, makeKeys, own, runScript, useVolumes, why } from '../harness/compose-volumes.ts';

const keys = (...args: string[]) => runScript('keys.mjs', args);

const scriptTest = canRun ? test : test.skip;
useVolumes();
beforeEach(() => {
  expect(makeKeys()).toMatchObject({ status: 0, error: '' });
});

const keyOf = (name: string): string => readFileSync(at('of', name, 'passport_key'), 'utf8');

scriptTest(
  `PASSPORT_KEY is rotated so that every process can decrypt with both keys in between${why}`,
  () => {
    const [old] = keyOf('worker').split(',');
    expect(keys('rotate', 'add').status).toBe(0);
    const [first, added = ''] = keyOf('worker').split(',');
    expect(first).toBe(old);
    expect(Buffer.from(added, 'base64')).toHaveLength(32);
    expect(keys('rotate', 'promote').status).toBe(0);
    expect(keyOf('receiver')).toBe(`${added},${old}`);
    // Whoever pastes the commands twice does not go back.
    expect(keys('rotate', 'promote').status).toBe(0);
    expect(keyOf('receiver')).toBe(`${added},${old}`);
    expect(keys('rotate', 'drop').status).toBe(0);
    expect([keyOf('receiver'), keyOf('worker')]).toEqual([added, added]);
    expect(statSync(at('place', 'passport_key')).mode & 0o777).toBe(0o400);
  },
);

scriptTest(`a step of a rotation that is not due changes nothing, and says what is${why}`, () => {
  const before = keyOf('worker');
  for (const step of ['promote', 'drop']) {
    const { status, error } = keys('rotate', step);
    expect({ status, error }).toEqual({ status: 1, error: 'there is only one key: run rotate add first' });
  }
  keys('rotate', 'add');
  const added = keyOf('worker');
  expect(keys('rotate', 'add')).toMatchObject({
    status: 1,
    error: expect.stringContaining('two keys already'),
  });
  expect(keys('rotate', 'drop')).toMatchObject({
    status: 1,
    error: 'the old key still encrypts: run rotate promote first',
  });
  expect(keyOf('worker')).toBe(added);
  expect(added.startsWith(`${before},`)).toBe(true);
});

scriptTest(`the dashboard has its new password at once, and a start keeps it${why}`, () => {
  const before = keys('show', 'dashboard_password').out;
  const { out } = keys('renew', 'dashboard_password');
  expect(out).not.toBe(before);
  makeKeys();
  expect(keys('show', 'dashboard_password').out).toBe(out);
  expect(readFileSync(at('of', 'dashboard', 'dashboard_password'), 'utf8')).toBe(out);
});

scriptTest(`what was exported makes another installation one with the same secrets${why}`, () => {
  const { out: saved } = keys('export');
  const names = Object.keys(JSON.parse(saved) as object);
  expect(names).toEqual([
    'passport_key',
    'redis_password',
    'redis_url',
    'dashboard_password',
    'dashboard_viewer_password',
    'grafana_password',
  ]);
  rmSync(at('place'), { recursive: true });
  mkdirSync(at('place'));
  own('place');
  expect(runScript('keys.mjs', ['import'], saved)).toMatchObject({ status: 0, error: '' });
  makeKeys();
  expect(keys('export').out).toBe(saved);
  const { redis_password: password } = JSON.parse(saved) as { redis_password: string };
  expect(readFileSync(at('of', 'redis', 'redis.conf'), 'utf8')).toContain(`requirepass ${password}\n`);
});

scriptTest.each([
  ['no JSON', 'passport_key', 'what is to be imported is no JSON'],
  ['a list', '[]', 'what is to be imported is no object of secrets'],
  ['an unknown name', '{"../x":"y"}', 'what is to be imported has an unknown name: "../x"'],
  ['a number', '{"passport_key":"a","redis_url":1}', 'redis_url: what is to be imported has no text there'],
  ['no key', '{"redis_url":"redis://redis"}', 'passport_key: what is to be imported has no key there'],
])(`a backup that is %s is refused, and changes nothing${why}`, (_, input, message) => {
  const before = keys('export').out;
  const { status, error } = runScript('keys.mjs', ['import'], input);
  expect({ status, error }).toEqual({ status: 1, error: message });
  expect(keys('export').out).toBe(before);
});

scriptTest.each([
  [[]],
  [['show']],
  [['show', 'passport.yaml']],
  [['renew', 'redis_password']],
  [['rotate', 'all']],
  [['export', 'passport_key']],
])(`wrong usage is answered with the commands: %j${why}`, (args) => {
  expect(keys(...args)).toMatchObject({
    status: 2,
    out: '',
    error: expect.stringContaining('Usage: keys.mjs'),
  });
});

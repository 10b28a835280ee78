import { chmodSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  at,
  canRun,
  makeKeys,
  own,
  PROCESSES,
  runScript,
  useVolumes,
  why,
} from '../harness/compose-volumes.ts';

const scriptTest = canRun ? test : test.skip;
useVolumes();

/** One start, as compose makes it. */
function start(script: 'make-keys.mjs' | 'make-consortium.mjs'): void {
  const ran = script === 'make-keys.mjs' ? makeKeys() : runScript(script, [at('place'), at('of')]);
  expect(ran).toMatchObject({ status: 0, error: '' });
}

const FORMER = ['etc', 'passport.yaml'] as const;
const OWN = ['etc', 'config', 'passport.yaml'] as const;

function put(text: string, mode: number, place: typeof FORMER | typeof OWN = OWN): void {
  const path = at(...place);
  rmSync(path, { force: true });
  writeFileSync(path, text);
  own(...place);
  chmodSync(path, mode);
}
const used = () => readFileSync(at('place', 'passport.yaml'), 'utf8');
const modeOf = (name: string) => (statSync(at('place', name)).mode & 0o777).toString(8);

scriptTest(`an operator's own configuration takes the place of the demo's${why}`, () => {
  start('make-keys.mjs');
  start('make-consortium.mjs');
  expect(used()).toContain('Prairie Libraries');
  put('consortium: Ours', 0o644);
  start('make-keys.mjs');
  start('make-consortium.mjs');
  expect(used()).toBe('consortium: Ours');
});

const usedBy = (name: (typeof PROCESSES)[number]) => readFileSync(at('of', name, 'passport.yaml'), 'utf8');

scriptTest(
  `every process has what an editor has put in the place of the configuration, without a start${why}`,
  () => {
    put('consortium: First', 0o644);
    start('make-keys.mjs');
    put('consortium: Second', 0o644); // another file of that name, as an editor leaves it
    expect(['receiver', 'worker', 'dashboard'].map((name) => usedBy(name as 'worker'))).toEqual(
      Array.from({ length: 3 }, () => 'consortium: Second'),
    );
    expect(used()).toBe('consortium: Second');
  },
);

scriptTest(
  `an operator's configuration that is taken away leaves nothing that could not be read${why}`,
  () => {
    put('consortium: Ours', 0o644);
    start('make-keys.mjs');
    rmSync(at(...OWN));
    start('make-keys.mjs');
    start('make-consortium.mjs');
    expect(used()).toContain('Prairie Libraries');
  },
);

scriptTest(`a configuration where versions up to 1.0 had it is taken over at each start${why}`, () => {
  for (const text of ['consortium: First', 'consortium: Second']) {
    put(text, 0o400, FORMER);
    start('make-keys.mjs');
    expect(used()).toBe(text);
  }
  expect(modeOf('passport.yaml')).toBe('400');
});

scriptTest(`a demo whose first start was cut short is made by the next${why}`, () => {
  start('make-consortium.mjs');
  rmSync(at('place', 'passport.yaml'));
  start('make-consortium.mjs');
  expect(used()).toContain('Prairie Libraries');
});

scriptTest(`keys that are there are never changed${why}`, () => {
  start('make-keys.mjs');
  const names = ['passport_key', 'redis_password', 'redis_url', 'redis.conf', 'dashboard_password'];
  const before = names.map((name) => readFileSync(at('place', name), 'utf8'));
  start('make-keys.mjs');
  expect(names.map((name) => readFileSync(at('place', name), 'utf8'))).toEqual(before);
  expect(names.map(modeOf)).toEqual(names.map(() => '400'));
});

const filesOf = (name: (typeof PROCESSES)[number]): string[] => readdirSync(at('of', name)).toSorted();

scriptTest(`each process gets a copy of what it uses and of nothing else${why}`, () => {
  start('make-keys.mjs');
  start('make-consortium.mjs');
  const common = ['passport.yaml', 'passport_key', 'redis_url'];
  const libraries = ['lakeside', 'midland', 'riverside'];
  const kohas = libraries.flatMap((id) => [`${id}_client_id`, `${id}_client_secret`]);
  expect(Object.fromEntries(PROCESSES.map((name) => [name, filesOf(name)]))).toEqual({
    receiver: [...common, ...libraries.map((id) => `${id}_webhook_secret`)].toSorted(),
    worker: [...common, ...kohas].toSorted(),
    dashboard: ['dashboard_password', 'dashboard_viewer_password', 'passport.yaml', 'redis_url'],
    redis: ['redis.conf', 'redis_password'],
    grafana: ['grafana_password'],
  });
  expect(statSync(at('of', 'worker', 'midland_client_secret')).mode & 0o777).toBe(0o400);
  expect(readFileSync(at('of', 'receiver', 'passport_key'))).toEqual(
    readFileSync(at('place', 'passport_key')),
  );
});

scriptTest(`what a process uses no longer is taken away at the next start${why}`, () => {
  start('make-keys.mjs');
  const old = ['of', 'dashboard', 'midland_client_secret'];
  writeFileSync(at(...old), 'from a release that shared all');
  own(...old);
  start('make-keys.mjs');
  expect(filesOf('dashboard')).not.toContain('midland_client_secret');
});

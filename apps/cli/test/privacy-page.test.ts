import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { FIELD_GROUPS, jobSchema, SETTABLE_FIELDS } from '@passport/contract';
import { ACTS } from '@passport/queue/audit';
import type { DisclosureReceipt } from '@passport/queue/copies';
import { markdownTables } from '@passport/testkit';
import { KOHA_TRACES } from '../src/commands/erase.ts';

/**
 * Holds the tables of docs/privacy.md against what the code can write. The keys of a Redis and the fields of log lines in a running
 * service: packages/system-tests/e2e/planted.test.ts and metrics.test.ts.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PLUGIN = 'apps/koha-plugin/Koha/Plugin/Org/PatronPassport';
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const page = read('docs/privacy.md');
const namesIn = (head: string): string[][] =>
  markdownTables(page, head).map((rows) => rows.map(([name = '']) => name));

const sourcesIn = (folder: string, suffix: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix) && !/node_modules|(?:^|\/)(?:dist|test|bench)\//.test(name))
    .map((name) => join(folder, name));

/** Keys that name a slot and under which nothing is stored. */
const NEVER_STORED = ['clock', 'info'];
/** What stands for a name in the first part of a key: the name of each queue, and what waits for a library. */
const CONSTANTS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Array.from(
      read('packages/queue/src/keys.ts').matchAll(/^export const ([A-Z]+) = '([\w-]+)';$/gm),
      ([, constant = '', name = '']) => [constant, [name]],
    ),
  ),
  'delayedKind(kind)': ['delayed', 'delayed-reports', 'paused'],
};

/** The first part of each key of Redis that a source can build. */
function keysIn(source: string): string[] {
  const built = Array.from(
    source.matchAll(/\bkey\(\s*(?:'([\w-]+)'|(\w+(?:\(\w+\))?))/g),
    ([, text, name = '']) => (text === undefined ? (CONSTANTS[name] ?? [name]) : [text]),
  );
  const direct = Array.from(source.matchAll(/\{QUEUE_PREFIX\}:([\w-]+)/g), ([, text = '']) => text);
  const queues = Array.from(
    source.matchAll(/\bnew Lenient\w+(?:<[^>]*>)?\(\s*(\w+)/g),
    ([, name = '']) => name,
  );
  return [...built.flat(), ...direct, ...queues.flatMap((name) => CONSTANTS[name] ?? [name])];
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted();

describe('docs/privacy.md has', () => {
  test('every key of Redis that the code can build, and no other', () => {
    const files = ['apps', 'packages/queue', 'packages/runtime'].flatMap((part) => sourcesIn(part, '.ts'));
    const keys = files.flatMap((file) => (file.endsWith('queue/src/script.ts') ? [] : keysIn(read(file))));
    const listed = namesIn('key').flatMap((names) => names.map((key) => key.split(':')[0] ?? ''));
    expect(keys.length).toBeGreaterThan(25);
    expect(sorted(listed)).toEqual(sorted(keys).filter((key) => !NEVER_STORED.includes(key)));
  });

  test('every field of a job and of a receipt', () => {
    const receipt: Record<keyof Required<DisclosureReceipt>, true> = {
      at: true,
      home: true,
      lending: true,
      homeKey: true,
      fields: true,
      eventId: true,
      patronId: true,
      what: true,
      formerKey: true,
      read: true,
      consent: true,
      override: true,
    };
    expect(namesIn('field of a job').map(sorted)).toEqual([sorted(Object.keys(jobSchema.shape))]);
    expect(namesIn('field of a receipt').map(sorted)).toEqual([sorted(Object.keys(receipt))]);
  });

  test('every group of fields that is copied, and what a lending library can set', () => {
    const listed = (line: RegExp): string[] =>
      Array.from((line.exec(page)?.[1] ?? '').matchAll(/`(\w+)`/g), ([, name = '']) => name);
    expect(listed(/^- of the \[field groups\]\(\S+\) (.*?):/m)).toEqual(Object.keys(FIELD_GROUPS));
    expect(listed(/^- fixed values that the lending library sets: (.*)/m).toSorted()).toEqual(
      Object.keys(SETTABLE_FIELDS).toSorted(),
    );
  });

  test('every table and column of the plugin', () => {
    const tables = sourcesIn(PLUGIN, '.pm').flatMap((file) => {
      const source = read(file);
      const [, created] = /CREATE TABLE IF NOT EXISTS \S+ \(\n(.*?)\n\)/s.exec(source) ?? [];
      if (created === undefined) return [];
      const columns = [
        ...created.matchAll(/^ {4}([a-z_]+) /gm),
        ...source.matchAll(/ADD COLUMN ([a-z_]+) /g),
      ];
      return [sorted(columns.map(([, name = '']) => name)).join(' ')];
    });
    expect(tables.length).toBeGreaterThan(0);
    expect(
      namesIn('column')
        .map((names) => sorted(names).join(' '))
        .toSorted(),
    ).toEqual(tables.toSorted());
  });

  test('what `passport erase` says that a Koha keeps', () => {
    const [rows = []] = markdownTables(page, 'table');
    expect(rows.map(([table]) => table)).toEqual(KOHA_TRACES.map(({ table }) => table));
    for (const [index, { command }] of KOHA_TRACES.entries()) {
      expect(command).toContain(rows[index]?.[3]);
    }
  });

  test('every action of an audit line in the audit view, but those of single scans', () => {
    const sources = sourcesIn('apps', '.ts').map(read).join('\n');
    const literal = Array.from(
      sources.matchAll(/(?:audit: true,\s*action: |openAudit\(deps, |action: (?='copies_))'([^']+)'/g),
      ([, action = '']) => action,
    );
    const chosen = [
      'promote',
      'discard',
      'choose home',
      'override',
      'restrict',
      'lift restriction',
      'login',
      'write',
    ];
    for (const action of chosen) expect(sources).toContain(`'${action}'`);
    const ofScans = ['refresh'];
    expect(sorted([...literal, ...chosen])).toEqual(sorted([...ACTS, ...ofScans]));
  });

  test('a purpose, a time and a way to erase for everything', () => {
    for (const row of markdownTables(page, 'key').flat()) {
      expect([row.length, row.filter((cell) => cell === '')]).toEqual([6, []]);
      expect(row[2]).toMatch(/^(?:yes|no)$/);
    }
  });
});

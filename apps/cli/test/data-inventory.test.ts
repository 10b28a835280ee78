import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { FIELD_GROUPS, jobSchema, PATRON_FIELDS, SETTABLE_FIELDS } from '@passport/contract';
import { ACTS } from '@passport/queue/audit';
import type { DisclosureReceipt } from '@passport/queue/copies';
import { KOHA_TRACES } from '../src/commands/erase.ts';

/**
 * Holds docs/data-inventory.json against what the code can write, and docs/privacy.md against the inventory. The keys of a Redis
 * and the fields of log lines in a running service: packages/system-tests/e2e/planted.test.ts and metrics.test.ts.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PLUGIN = 'apps/koha-plugin/Koha/Plugin/Org/PatronPassport';
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Row {
  readonly holds: string;
  readonly kept: string;
  readonly erased: string;
}
interface Inventory {
  readonly redis: readonly (Row & {
    readonly key: string;
    readonly why: string;
    readonly personal: boolean;
  })[];
  readonly job_fields: Readonly<Record<string, string>>;
  readonly receipt_fields: Readonly<Record<string, string>>;
  readonly copied_fields: {
    readonly groups: Readonly<Record<string, readonly string[]>>;
    readonly set_by_the_lending_library: readonly string[];
  };
  readonly plugin_tables: readonly {
    readonly table: string;
    readonly source: string;
    readonly columns: Readonly<Record<string, string>>;
  }[];
  readonly koha_traces: readonly (Row & { readonly table: string })[];
  readonly log_fields: Readonly<Record<string, string>>;
}
const inventory = JSON.parse(read('docs/data-inventory.json')) as Inventory;

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

describe('the inventory of data has', () => {
  test('every key of Redis that the code can build, and no other', () => {
    const files = ['apps', 'packages/queue', 'packages/runtime'].flatMap((part) => sourcesIn(part, '.ts'));
    const keys = files.flatMap((file) => (file.endsWith('queue/src/script.ts') ? [] : keysIn(read(file))));
    const listed = inventory.redis.map(({ key }) => key.split(':')[0] ?? '');
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
    expect(sorted(Object.keys(inventory.job_fields))).toEqual(sorted(Object.keys(jobSchema.shape)));
    expect(sorted(Object.keys(inventory.receipt_fields))).toEqual(sorted(Object.keys(receipt)));
  });

  test('every field that is ever copied, by its group', () => {
    const listed = inventory.copied_fields;
    const byGroup = (groups: Readonly<Record<string, readonly string[]>>) =>
      Object.fromEntries(Object.entries(groups).map(([group, fields]) => [group, sorted(fields)]));
    expect(byGroup(listed.groups)).toEqual(byGroup(FIELD_GROUPS));
    expect(sorted(Object.values(listed.groups).flat())).toEqual(
      sorted(PATRON_FIELDS.map(({ name }) => name)),
    );
    expect(sorted(listed.set_by_the_lending_library)).toEqual(sorted(Object.keys(SETTABLE_FIELDS)));
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
      return [
        { source: file.slice(PLUGIN.length + 1), columns: sorted(columns.map(([, name = '']) => name)) },
      ];
    });
    const listed = inventory.plugin_tables.map(({ source, columns }) => ({
      source,
      columns: sorted(Object.keys(columns)),
    }));
    expect(tables.length).toBeGreaterThan(0);
    expect(listed).toEqual(tables.toSorted((one, other) => (one.source < other.source ? -1 : 1)));
  });

  test('what `passport erase` says that a Koha keeps', () => {
    expect(inventory.koha_traces.map(({ table }) => table)).toEqual(KOHA_TRACES.map(({ table }) => table));
    for (const [index, { command }] of KOHA_TRACES.entries()) {
      expect(command).toContain(inventory.koha_traces[index]?.erased.replaceAll('`', ''));
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
    for (const { key, holds, why, kept, erased } of inventory.redis) {
      expect([key, [holds, why, kept, erased].every((text) => text.length > 0)]).toEqual([key, true]);
    }
  });
});

describe('docs/privacy.md', () => {
  const lines = read('docs/privacy.md')
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' ').trim());
  const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

  test('has a row for each key, column, field of a log line and trace of the inventory', () => {
    const rows = [
      ...inventory.redis.map(({ key, holds, personal, why, kept, erased }) =>
        row(`\`${key}\``, holds, personal ? 'yes' : 'no', why, kept, erased),
      ),
      ...inventory.plugin_tables.flatMap(({ columns }) =>
        Object.entries(columns).map(([name, holds]) => row(`\`${name}\``, holds)),
      ),
      ...Object.entries(inventory.log_fields).map(([name, holds]) => row(`\`${name}\``, holds)),
      ...inventory.koha_traces.map(({ table, holds, kept, erased }) =>
        row(`\`${table}\``, holds, kept, erased),
      ),
    ];
    expect(rows.filter((each) => !lines.includes(each))).toEqual([]);
  });
});

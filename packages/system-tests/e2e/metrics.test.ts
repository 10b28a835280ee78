import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findProgram, markdownTables, waitFor } from '@passport/testkit';
import { parse } from 'yaml';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type ScrapedSeries, readExposition } from '../harness/read-exposition.ts';
import { readPromql } from '../harness/read-promql.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ALERTS = 'deploy/prometheus/alerts.yml';
const ALERT_TESTS = 'deploy/prometheus/alerts.test.yml';
const DASHBOARD = 'deploy/grafana/patron-passport.json';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: unknown;
  }[];
}
interface Board {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
  readonly panels: readonly Panel[];
}

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
const readRules = async (): Promise<readonly Rule[]> => {
  const { groups } = parse(await read(ALERTS)) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
};
const readBoard = async (): Promise<Board> => JSON.parse(await read(DASHBOARD)) as Board;
const expressionsOf = ({ panels }: Board): readonly string[] =>
  panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe('alert rules', () => {
  test('each says how bad it is, what it means, and leads to its line in the runbook', async () => {
    const anchors = Array.from((await read('docs/runbook.md')).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const { alert, labels, annotations } of await readRules()) {
      expect(['warning', 'critical']).toContain(labels['severity']);
      expect(annotations['summary']).toBeTruthy();
      expect(annotations['description']).toBeTruthy();
      const dashboard = '{{ $externalLabels.passport_dashboard }}';
      expect(annotations['runbook_url']).toBe(`${dashboard}/runbook#${alert.toLowerCase()}`);
      const isOfLibrary = annotations['summary']?.includes('$labels.library') === true;
      expect(annotations['dashboard_url']).toBe(
        `${dashboard}/${isOfLibrary ? 'libraries/{{ $labels.library }}' : ''}`,
      );
      expect(anchors).toContain(alert.toLowerCase());
    }
  });

  test('each has a test in which it fires, and one in which it is quiet', async () => {
    const { tests } = parse(await read(ALERT_TESTS)) as {
      tests: { name: string; promql_expr_test: { expr: string; exp_samples: { labels: string }[] }[] }[];
    };
    for (const { alert, labels } of await readRules()) {
      const checks = tests.find(({ name }) => name === alert)?.promql_expr_test ?? [];
      expect(checks.map(({ expr }) => expr)).toEqual(
        checks.map(() => `ALERTS{alertname="${alert}",alertstate="firing"}`),
      );
      const fired = checks.flatMap(({ exp_samples: samples }) => samples);
      expect(fired).toContainEqual(
        expect.objectContaining({ labels: expect.stringContaining(`severity="${labels['severity']}"`) }),
      );
    }
  });
});

const promtool = findProgram('promtool');
const withPromtool = promtool === null ? test.skip : test;
const why = promtool === null ? ' (skipped: no promtool on this machine; apt-get install promtool)' : '';
const runPromtool = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(promtool ?? '', args, { cwd: ROOT })).stdout;

withPromtool(`rules, their tests and the scrape configuration pass promtool${why}`, async () => {
  const rules = await readRules();
  expect(await runPromtool('check', 'rules', '--lint=all', '--lint-fatal', ALERTS)).toContain(
    `SUCCESS: ${rules.length} rules found`,
  );
  expect(await runPromtool('test', 'rules', ALERT_TESTS)).toContain('SUCCESS');
  expect(await runPromtool('check', 'config', 'deploy/prometheus/prometheus.yml')).toContain('SUCCESS');
});

const amtool = findProgram('amtool');
const withAmtool = amtool === null ? test.skip : test;
const whyNot =
  amtool === null ? ' (skipped: no amtool on this machine; apt-get install prometheus-alertmanager)' : '';

describe('the sample for Alertmanager', () => {
  const SAMPLE = 'deploy/prometheus/alertmanager.yml';

  withAmtool(`passes amtool, which routes what is critical to whoever is on call${whyNot}`, async () => {
    const run = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(amtool ?? '', args, { cwd: ROOT })).stdout;
    expect(await run('check-config', SAMPLE)).toContain('SUCCESS');
    const routed = (severity: string) =>
      run(
        'config',
        'routes',
        'test',
        `--config.file=${SAMPLE}`,
        `severity=${severity}`,
        'alertname=PassportAny',
      );
    expect([await routed('critical'), await routed('warning')]).toEqual(['on-call\n', 'operators\n']);
  });

  test('names no alert that there is not', async () => {
    const known = (await readRules()).map(({ alert }) => alert);
    const named = [...(await read(SAMPLE)).matchAll(/\bPassport[A-Z]\w+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

withPromtool(`every expression of the Grafana dashboard passes promtool${why}`, async () => {
  const expressions = expressionsOf(await readBoard());
  const rules = expressions.map((expr, place) => ({
    record: `panel_${place}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$library', '.*'),
  }));
  const dir = await mkdtemp(join(tmpdir(), 'passport-promql-'));
  try {
    const file = join(dir, 'panels.yml');
    await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(await runPromtool('check', 'rules', file)).toContain(`SUCCESS: ${expressions.length} rules found`);
  } finally {
    await rm(dir, { recursive: true });
  }
});

describe('the Grafana dashboard', () => {
  test('is one that Grafana loads: ids of its own, no panel over another, each with its data source', async () => {
    const { uid, title, schemaVersion, panels } = await readBoard();
    expect({ uid, title }).toEqual({ uid: 'patron-passport', title: 'Patron Passport' });
    expect(schemaVersion).toBeGreaterThanOrEqual(36);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
    for (const { type, title: name, targets, datasource } of panels) {
      expect(['row', 'stat', 'timeseries', 'state-timeline']).toContain(type);
      expect(name).toBeTruthy();
      if (type === 'row') continue;
      expect(targets?.length).toBeGreaterThan(0);
      expect(new Set(targets?.map(({ refId }) => refId)).size).toBe(targets?.length);
      for (const source of [datasource, ...(targets ?? []).map((target) => target.datasource)]) {
        expect(source).toEqual({ type: 'prometheus', uid: '${datasource}' });
      }
    }
  });

  test('has the variables that it uses, and uses those that it has', async () => {
    const board = await readBoard();
    const used = JSON.stringify(board).matchAll(/\$\{?([a-z]\w*)/g);
    const names = board.templating.list.map(({ name }) => name);
    expect(new Set(Array.from(used, ([, name]) => name))).toEqual(new Set(names));
    expect(names).toEqual(['datasource', 'library']);
  });

  test('shows desks, libraries, queue, receiver, limits, and the processes', async () => {
    const rows = (await readBoard()).panels.filter(({ type }) => type === 'row');
    expect(rows.map(({ title }) => title)).toEqual([
      'Desks',
      'Libraries',
      'Queue',
      'Receiver',
      'Limits',
      'Redis and processes',
    ]);
  });
});

describe('what running processes report', () => {
  let consortium: Consortium<keyof typeof threeLibraries>;
  const exposed = new Map<string, readonly ScrapedSeries[]>();
  let texts = '';
  const all = (): readonly ScrapedSeries[] => [...exposed.values()].flat();

  beforeAll(async () => {
    const nights = { refresh: { sweep: '02:00' }, owed: { read: '03:30' }, loans: { count: '04:00' } };
    const riverside = { ...threeLibraries.riverside, entry: nights };
    consortium = await startConsortium({ libraries: { ...threeLibraries, riverside }, dashboards: 1 });
    const { doubles, services } = consortium;
    const desk = consortium.at('riverside');
    const { eventId } = await desk.scan({
      cardnumber: registerPatron(doubles.midland),
      item_barcode: shelveBook(doubles.riverside),
    });
    expect(await desk.follow(eventId)).toMatchObject({ outcome: 'COPIED' });
    await waitFor('the job to be finished', () =>
      consortium.redis.call('ZCARD', '{passport}:scans:completed').then(Boolean),
    );
    for (const service of [...services.receivers, ...services.workers, ...services.dashboards]) {
      const text = await service.metrics();
      texts += text;
      exposed.set(service.name, readExposition(text));
    }
  }, 60_000);
  afterAll(() => consortium?.stop());

  /** Labels that Prometheus itself gives to what it scrapes. */
  const GIVEN = ['job', 'instance'];
  /** Series that Prometheus itself makes, and one that is there only where a set-up has faults (worker/test/set-up-night.test.ts). */
  const MADE: Readonly<Record<string, readonly string[]>> = {
    passport_setup_findings: ['library'],
    up: [],
    ALERTS: ['alertname', 'alertstate'],
  };

  /** What of an expression no process exposes: unknown metrics, labels or values, as text. */
  function unknownIn(expression: string): readonly string[] {
    return readPromql(expression).flatMap(({ name, labels, values }) => {
      const series = all().filter((each) => each.name === name);
      const known = MADE[name] ?? (series[0] === undefined ? null : Object.keys(series[0].labels));
      if (known === null) return [name];
      const strange = labels.filter((label) => !known.includes(label) && !GIVEN.includes(label));
      const missing = values.filter(
        ([label, value]) => !(name in MADE) && !series.some(({ labels: have }) => have[label] === value),
      );
      return [
        ...strange.map((label) => `${name}{${label}}`),
        ...missing.map(([label, value]) => `${name}{${label}="${value}"}`),
      ];
    });
  }

  test('a metric, label or value that no process exposes is found', () => {
    const of = (expression: string) => unknownIn(expression);
    expect(
      of('sum by (library) (rate(passport_jobs_total{outcome=~"COPIED|LOST",state="x"}[5m])) > 1'),
    ).toEqual([
      'passport_jobs_total{state}',
      'passport_jobs_total{outcome="LOST"}',
      'passport_jobs_total{state="x"}',
    ]);
    expect(of('max(passport_queue_age) unless on (place) passport_queue_jobs')).toEqual([
      'passport_queue_age',
      'passport_queue_jobs{place}',
    ]);
  });

  test('is all that the alerts query', async () => {
    const queried = (await readRules()).map(({ alert, expr }) => ({ alert, unknown: unknownIn(expr) }));
    expect(queried.filter(({ unknown }) => unknown.length > 0)).toEqual([]);
  });

  test('is all that the Grafana dashboard queries', async () => {
    const board = await readBoard();
    expect(expressionsOf(board).flatMap(unknownIn)).toEqual([]);
    const definitions = board.templating.list.flatMap(({ definition }) => definition ?? []);
    const variables = definitions.map((text) =>
      text.replace(/^label_values\((\w+), (\w+)\)$/, '$1{$2=~".*"}'),
    );
    expect(variables.flatMap(unknownIn)).toEqual([]);
  });

  test('is at least these, with these labels', () => {
    const known = [
      'passport_events_total{library,result}',
      'passport_jobs_total{library,outcome}',
      'passport_scan_to_copy_seconds_bucket{le,library}',
      'passport_step_seconds_bucket{le,step}',
      'passport_koha_requests_total{library,operation,status}',
      'passport_koha_request_seconds_bucket{le,library,operation}',
      'passport_queue_jobs{state}',
      'passport_queue_oldest_seconds{}',
      'passport_library_open{library}',
      'passport_library_in_flight{library}',
    ];
    const shapes = new Set(all().map(({ name, labels }) => `${name}{${Object.keys(labels).sort().join()}}`));
    expect(known.filter((shape) => !shapes.has(shape))).toEqual([]);
  });

  test('is what docs/metrics.md lists, each metric with its type and its help', async () => {
    const described = texts.matchAll(/^# HELP (passport_\w+) (.*)\n# TYPE \w+ (\w+)$/gm);
    const rows = Array.from(described, ([, name, help, type]) => `${name}, ${type}: ${help}`);
    const page = (await read('docs/metrics.md')).matchAll(/^\| `(\w+)` +\| (\w+) +\| (.+?) +\|$/gm);
    const listed = Array.from(page, ([, name, type, help]) => `${name}, ${type}: ${help}`);
    expect(listed).toEqual([...new Set(rows)].sort());
    expect(listed.length).toBeGreaterThan(25);
  });

  test.each(['receiver', 'worker', 'dashboard'])('the %s describes itself, the queue and Redis', (name) => {
    const series = exposed.get(name) ?? [];
    expect(series).toContainEqual({ name: 'passport_process_info', labels: { process: name }, value: 1 });
    expect(series).toContainEqual({ name: 'passport_redis_up', labels: {}, value: 1 });
    expect(series).toContainEqual({ name: 'passport_queue_jobs', labels: { state: 'done' }, value: 1 });
    const names = series.map((each) => each.name);
    expect(names).toContain('passport_redis_memory_used_bytes');
    expect(names).toContain('process_resident_memory_bytes');
  });

  test('no call is under way once all has been answered', () => {
    const inFlight = all().filter(({ name }) => name === 'passport_library_in_flight');
    expect(inFlight.map(({ value }) => value)).toEqual([0, 0, 0]);
  });

  test('names nobody: no label holds a card, an item or an event', () => {
    const values = all().flatMap(({ labels }) => Object.values(labels));
    expect(values.filter((value) => /\d{6}|evt_/.test(value))).toEqual([]);
  });

  test('every key in Redis is in docs/privacy.md, and lives no longer than that says', async () => {
    const { redis, services } = consortium;
    const [keyRows = []] = markdownTables(await read('docs/privacy.md'), 'key');
    const families = keyRows.map(([key = '', , , , kept = '', erased = '']) => ({
      pattern: new RegExp(
        `^\\{passport\\}:${key.replace(/HASH|HOMEKEY|KIND|NAME/g, '.+').replace(/[A-Z]{4,}/g, '[^:]+')}$`,
      ),
      lifeSeconds: erased.startsWith('it expires') ? secondsOf(kept) : null,
    }));
    expect(families.length).toBeGreaterThan(20);
    // Idle workers: what belongs to a run is gone, what stays is seen.
    await Promise.all(services.workers.map((worker) => worker.stop()));
    const [, keys] = (await redis.call('SCAN', '0', 'COUNT', '10000')) as [string, string[]];
    expect(keys).toContain('{passport}:receipts');
    for (const key of keys) {
      const named = families.filter(({ pattern }) => pattern.test(key));
      expect({ key, isDocumented: named.length > 0 }).toEqual({ key, isDocumented: true });
      const ttl = Number(await redis.call('TTL', key));
      const longest = Math.max(...named.map(({ lifeSeconds }) => lifeSeconds ?? Infinity));
      if (longest < Infinity) expect({ key, ttl, dies: ttl > 0 }).toEqual({ key, ttl, dies: true });
      expect({ key, ttl, inTime: ttl <= longest }).toEqual({ key, ttl, inTime: true });
    }
  });
});

/** The first time in a text such as `15 min, or until the job continues`, in seconds. */
function secondsOf(kept: string): number {
  const [, number, unit = ''] = /(\d+) (s|min|h|d)\b/.exec(kept) ?? [];
  const seconds: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 };
  return Number(number) * (seconds[unit] ?? NaN);
}

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findProgram } from '@passport/testkit';
import { parse, parseAllDocuments } from 'yaml';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const OVERLAYS = ['small', 'large'] as const;
const PROCESSES = ['receiver', 'worker', 'dashboard'] as const;
type Process = (typeof PROCESSES)[number];

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: unknown;
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly command?: readonly string[];
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly resources: { readonly limits: { readonly memory: string } };
  }[];
  readonly volumes: readonly { readonly secret?: { readonly secretName: string } }[];
}

const run = promisify(execFile);
const kustomize = findProgram('kustomize');
const promtool = findProgram('promtool');
const withKustomize = kustomize === null ? describe.skip : describe;
const why = (program: string | null, name: string): string =>
  program === null ? ` (skipped: no ${name} on this machine; apt-get install ${name})` : '';

let dir: string;
const rendered: Record<string, readonly Manifest[]> = {};
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

/** The manifests of an overlay with the example's configuration beside it, as an operator has it. */
async function render(overlay: string): Promise<readonly Manifest[]> {
  const place = join(dir, 'overlays', overlay);
  await cp(join(ROOT, 'passport.example.yaml'), join(place, 'passport.yaml'));
  const { stdout } = await run(kustomize ?? '', ['build', place]);
  return parseAllDocuments(stdout).map((each) => each.toJS() as Manifest);
}

function specOf(overlay: string, wanted: string, name: string): unknown {
  const found = rendered[overlay]?.find(({ kind, metadata }) => kind === wanted && metadata.name === name);
  if (found === undefined) throw new Error(`${overlay} has no ${wanted} ${name}`);
  return found.spec;
}

const podOf = (overlay: string, name: string): Pod => {
  const { template } = specOf(overlay, 'Deployment', name) as { template: { spec: Pod } };
  return template.spec;
};

withKustomize(`the manifests for Kubernetes${why(kustomize, 'kustomize')}`, () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'passport-kubernetes-'));
    await cp(join(ROOT, 'deploy/kubernetes'), dir, { recursive: true });
    for (const overlay of OVERLAYS) rendered[overlay] = await render(overlay);
  }, 60_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test.each(OVERLAYS)(
    '%s: each is what the schema of Kubernetes and KEDA allows, by value',
    async (overlay) => {
      for (const manifest of rendered[overlay] ?? []) {
        const { path, kind } = modelOf(manifest);
        const models = (await import(path)) as Record<string, new (data: object) => { validate(): void }>;
        const Model = models[kind];
        expect(Model).toBeDefined();
        expect(() => Model === undefined || new Model(manifest).validate()).not.toThrow();
      }
    },
  );

  test('no manifest has a field that the schema does not know', async () => {
    const all = OVERLAYS.flatMap((overlay) => rendered[overlay] ?? []);
    expect(await unknownFields(all)).toEqual([]);
    const typo = { ...all[0], spec: { replica: 2 } } as unknown as Manifest;
    const found = await unknownFields([{ ...typo, apiVersion: 'apps/v1', kind: 'Deployment' }]);
    expect(found).toEqual([expect.stringContaining('replica')]);
  }, 120_000);

  test.each(OVERLAYS)('%s: everything is in the namespace, and nothing is a Secret', (overlay) => {
    for (const { kind, metadata } of rendered[overlay] ?? []) {
      expect(kind).not.toBe('Secret');
      if (kind !== 'Namespace') expect(metadata.namespace).toBe('patron-passport');
    }
  });

  test('each process has the command, the heap and the memory that compose gives it', async () => {
    const { services } = parse(await read('docker-compose.yml'), { merge: true }) as {
      services: Record<Process, { command: string[]; mem_limit: string }>;
    };
    for (const name of PROCESSES) {
      const [container] = podOf('small', name).containers;
      expect(container?.command).toEqual(services[name].command);
      expect(container?.resources.limits.memory).toBe(`${services[name].mem_limit}i`.replace('mi', 'Mi'));
    }
  });

  test('a larger worker has the heap that its memory allows', () => {
    const [worker] = podOf('large', 'worker').containers;
    const heap = Number(/--max-old-space-size=(\d+)/.exec(worker?.command?.join(' ') ?? '')?.[1]);
    expect(heap).toBeLessThan(0.75 * Number.parseInt(worker?.resources.limits.memory ?? '', 10));
    expect(heap).toBeGreaterThan(224);
  });

  test('each process sees its own secrets, and gets variables that it reads', async () => {
    const secrets: Record<Process, readonly string[]> = {
      receiver: ['passport-webhook', 'passport-notify', 'passport-keys'],
      worker: ['passport-koha', 'passport-notify', 'passport-keys'],
      dashboard: ['passport-keys', 'passport-dashboard'],
    };
    const reference = await read('docs/configuration.md');
    for (const overlay of OVERLAYS)
      for (const name of PROCESSES) {
        const { volumes, containers } = podOf(overlay, name);
        expect(volumes.flatMap(({ secret }) => secret?.secretName ?? [])).toEqual(secrets[name]);
        for (const { name: variable } of containers[0]?.env ?? []) {
          const row = new RegExp(`^\\| \`${variable.replace(/_FILE$/, '')}\` +\\| ([^|]+)`, 'm').exec(
            reference,
          );
          expect(row?.[1]).toContain(name);
        }
      }
  });

  test('the passport command has the secrets of all, for doctor, and never runs by itself', () => {
    const { suspend, jobTemplate } = specOf('small', 'CronJob', 'doctor') as {
      suspend: boolean;
      jobTemplate: { spec: { template: { spec: Pod } } };
    };
    expect(suspend).toBe(true);
    const { volumes } = jobTemplate.spec.template.spec;
    const secrets = volumes.flatMap(({ secret }) => secret?.secretName ?? []);
    const all = [
      'passport-webhook',
      'passport-koha',
      'passport-notify',
      'passport-dashboard',
      'passport-keys',
    ];
    expect(secrets).toEqual(all);
  });

  test('a process may take longer to stop than its grace, with the pause before it', async () => {
    const grace = /`SHUTDOWN_GRACE` .*`(\d+)s`/.exec(await read('docs/configuration.md'))?.[1];
    for (const name of PROCESSES)
      expect(podOf('small', name).terminationGracePeriodSeconds).toBeGreaterThan(Number(grace) + 5);
  });

  const withPromtool = promtool === null ? test.skip : test;
  withPromtool(
    `workers are scaled by the age of the oldest event while jobs are queued${why(promtool, 'promtool')}`,
    async () => {
      const { triggers } = specOf('large', 'ScaledObject', 'worker') as {
        triggers: { metadata: { query: string } }[];
      };
      const query = triggers[0]?.metadata.query ?? '';
      const oldest = { series: 'passport_queue_oldest_seconds{instance="a"}', values: '40x20' };
      const queued = (values: string) => ({
        series: 'passport_queue_jobs{instance="a",state="queued"}',
        values,
      });
      const check = (name: string, value: number, input_series: readonly object[]) => ({
        name,
        interval: '15s',
        input_series,
        promql_expr_test: [{ expr: query, eval_time: '2m', exp_samples: [{ labels: '{}', value }] }],
      });
      const file = join(dir, 'scaling.yml');
      const tests = [
        check('jobs are queued', 40, [oldest, queued('3x20')]),
        check('the oldest waits for a library', 0, [oldest, queued('0x20')]),
        check('a job was queued for a moment', 0, [oldest, queued('0x7 1 0x12')]),
        check('there is no worker', 0, []),
      ];
      await writeFile(file, JSON.stringify({ rule_files: [], evaluation_interval: '15s', tests }));
      const { stdout } = await run(promtool ?? '', ['test', 'rules', file]);
      expect(stdout).toContain('SUCCESS');
    },
  );
});

/** Where the model of a manifest is: core resources have no group. */
function modelOf({ apiVersion, kind }: Manifest): { readonly path: string; readonly kind: string } {
  const base = apiVersion.startsWith('keda.sh/') ? '@kubernetes-models/keda' : 'kubernetes-models';
  return { path: `${base}/${apiVersion}`, kind };
}

/** What TypeScript says of manifests as literals of their types: it refuses properties that a type does not have. */
async function unknownFields(manifests: readonly Manifest[]): Promise<readonly string[]> {
  const lines = manifests.map((manifest, index) => {
    const { path, kind } = modelOf(manifest);
    return `import type { I${kind} as T${index} } from '${path}';\nexport const m${index}: T${index} = ${JSON.stringify(manifest)};`;
  });
  // Where modules of this repository are found.
  const place = await mkdtemp(join(ROOT, 'node_modules/.passport-kubernetes-'));
  try {
    const file = join(place, 'manifests.mts');
    await writeFile(file, lines.join('\n'));
    const options = '--noEmit --strict --skipLibCheck --ignoreConfig --module nodenext --target es2023';
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const actual = await run(tsc, [...options.split(' '), file]).catch((error: unknown) => error);
    const { stdout } = actual as { stdout: string };
    return stdout.split('\n').filter((line) => line.includes('error TS'));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

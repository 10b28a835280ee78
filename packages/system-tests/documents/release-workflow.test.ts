import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly id?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly container?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const text = read('.github/workflows/release.yml');
const { jobs, permissions } = parse(text) as {
  permissions: object;
  jobs: Readonly<Record<'files' | 'tests' | 'spdx' | 'images' | 'publish', Job>>;
};
const commands = (job: Job): string => job.steps.map(({ run = '' }) => run).join('\n');

test('every action is pinned to a commit, with its version beside it', () => {
  const lines = text.split('\n').filter((line) => line.includes('uses:'));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test('code of packages runs only where nothing can be written or signed', () => {
  expect(permissions).toEqual({});
  expect(jobs.files.permissions).toEqual({ contents: 'read' });
  expect(jobs.tests.permissions).toEqual({ contents: 'read' });
  expect(jobs.spdx.permissions).toEqual({});
  for (const job of [jobs.images, jobs.publish]) {
    expect(job.permissions).toMatchObject({ 'id-token': 'write', attestations: 'write' });
    expect(commands(job)).not.toMatch(
      /npm (?:ci|install|test|exec)|npm run (?!release -- images --only-images)|npx|pipx?\b/,
    );
  }
  const checkouts = Object.values(jobs).flatMap(({ steps }) =>
    steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')),
  );
  for (const step of checkouts) expect(step.with).toEqual({ 'persist-credentials': false });
});

test('every image that a job runs in is named by its digest', () => {
  const images = Object.values(jobs).flatMap(({ container }) => container ?? []);
  expect(images).toHaveLength(2);
  for (const image of images) expect(image).toMatch(/^node:\d+-trixie@sha256:[0-9a-f]{64}$/);
  expect(new Set(images).size).toBe(1);
});

test('it builds on a machine that has run no test, tests after that, and publishes when both went well', () => {
  const runs = jobs.files.steps.flatMap(({ run = [] }) => run);
  expect(runs.indexOf('npm run release -- --check')).toBeGreaterThan(-1);
  expect(runs.indexOf('npm run release -- release --no-images')).toBeGreaterThan(
    runs.indexOf('npm run release -- --check'),
  );
  expect(commands(jobs.files)).not.toMatch(/npm (?:test|run (?:check|test))/);
  expect(jobs.tests.needs).toBe('files');
  expect(jobs.tests.steps.flatMap(({ run = [] }) => run)).toEqual(['npm run check', 'npm run test:all']);
  expect(commands(jobs.spdx)).toMatch(/osv-scanner@v\S+ scan .*\.cdx\.json/);
  expect(jobs.images.needs).toEqual(['files', 'tests', 'spdx']);
  expect(jobs.publish.needs).toEqual(['files', 'images']);
});

test('what is published has the sums that its job has said, whoever has written to the artefacts since', () => {
  const saysSum = (job: Job, id: string) => job.steps.findIndex((step) => step.id === id);
  const upload = (job: Job) =>
    job.steps.findIndex(({ uses }) => uses?.startsWith('actions/upload-artifact@') === true);
  const outputs = [
    [jobs.files, 'files', 'release/SHA256SUMS'],
    [jobs.images, 'images', 'images/images.json'],
  ] as const;
  const publish = commands(jobs.publish);
  for (const [job, name, file] of outputs) {
    expect(job.outputs?.['sum']).toBe('${{ steps.sum.outputs.sum }}');
    expect(saysSum(job, 'sum')).toBeGreaterThan(-1);
    expect(saysSum(job, 'sum')).toBeLessThan(upload(job));
    const variable = `${name.toUpperCase()}_SUM`;
    const step = jobs.publish.steps.find(({ env }) => env?.[variable] !== undefined);
    expect(step?.env?.[variable]).toBe(`\${{ needs.${name}.outputs.sum }}`);
    expect(publish).toContain(`echo "$${variable}  ${file}" | sha256sum --check --strict`);
  }
  expect(publish.indexOf('FILES_SUM')).toBeLessThan(publish.indexOf('--check --strict SHA256SUMS'));
});

test('each option, file and script that it names is there', () => {
  const usage = read('scripts/release.mjs');
  const options = [...text.matchAll(/npm run release -- (.*)$/gm)].flatMap(
    ([, args = '']) => args.match(/--[\w-]+/g) ?? [],
  );
  expect(new Set(options)).toEqual(
    new Set(['--check', '--no-images', '--only-images', '--push', '--registry']),
  );
  for (const option of options) expect(usage).toContain(`  ${option}`);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
  for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts[name]).toBeDefined();

  const makes = `${read('scripts/release/make-release.mjs')}${read('scripts/release/sums.mjs')}${read('scripts/release/images.mjs')}`;
  for (const file of ['NOTES.md', 'SHA256SUMS', 'images.json']) {
    expect(text).toMatch(new RegExp(`(?:release|images)/${file}`));
    expect(makes).toContain(file);
  }
  expect(text).toContain('release/patron-passport-${{ env.VERSION }}.cdx.json');
  expect(makes).toContain('`patron-passport-${version}.cdx.json`');
  const targets = [...read('docker-bake.hcl').matchAll(/^target "(\w+)" \{\n {2}inherits/gm)].map(
    ([, name]) => name,
  );
  expect(/for target in ([\w ]+); do/.exec(text)?.[1]?.split(' ')).toEqual(targets);
});

test('everything that is published is attested or signed, and is a draft', () => {
  const attested = jobs.publish.steps.filter(({ uses }) => uses?.startsWith('actions/attest-'));
  expect(attested.map((step) => step.with?.['subject-path'])).toEqual(['release/*', 'release/*.deb']);
  expect(commands(jobs.publish)).toContain(
    'cosign sign-blob --yes --bundle SHA256SUMS.sigstore.json release/SHA256SUMS',
  );
  expect(commands(jobs.images).match(/cosign sign --yes "\$REGISTRY\/[\w-]+@/g)).toEqual([
    'cosign sign --yes "$REGISTRY/patron-passport@',
    'cosign sign --yes "$REGISTRY/patron-passport-demo@',
  ]);
  expect(commands(jobs.publish)).toMatch(/gh release create .*--verify-tag --draft/);
});

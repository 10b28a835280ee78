import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const text = read('.github/workflows/release.yml');
const { jobs, permissions } = parse(text) as {
  permissions: object;
  jobs: Readonly<Record<'files' | 'spdx' | 'images' | 'publish', Job>>;
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

test('it publishes what was tested, after it was tested', () => {
  const order = [
    'npm run release -- --check',
    'npm run check',
    'npm run test:all',
    'npm run release -- release --no-images',
  ];
  const found = order.map((command) => jobs.files.steps.findIndex(({ run }) => run === command));
  expect(found).toEqual(found.toSorted((left, right) => left - right));
  expect(found).not.toContain(-1);
  expect(commands(jobs.spdx)).toMatch(/osv-scanner@v\S+ scan .*\.cdx\.json/);
  expect(jobs.images.needs).toEqual(['files', 'spdx']);
  expect(jobs.publish.needs).toEqual(['files', 'images']);
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

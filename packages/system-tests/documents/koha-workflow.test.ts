import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly strategy?: { readonly matrix?: { readonly release?: readonly string[] } };
  readonly steps: readonly Step[];
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const workflow = (name: string) =>
  parse(read(`.github/workflows/${name}`)) as {
    readonly on: { readonly schedule?: readonly { readonly cron: string }[] };
    readonly permissions: object;
    readonly jobs: Readonly<Record<string, Job>>;
  };
const runs = ({ steps }: Job): string[] => steps.flatMap(({ run = [] }) => run);
const SCRIPT = 'deploy/koha-testing/koha-testing';

describe('the workflow on real Kohas', () => {
  const { on, permissions, jobs } = workflow('koha.yml');

  test('runs each night, for the newest code and the two newest releases, and may write nothing', () => {
    expect(on.schedule).toHaveLength(1);
    expect(permissions).toEqual({ contents: 'read' });
    for (const job of Object.values(jobs))
      expect(job.strategy?.matrix?.release).toEqual(['main', 'stable', 'oldstable']);
  });

  test('every command of the script that it calls is one', () => {
    const usage = read(SCRIPT);
    const called = Object.values(jobs)
      .flatMap(runs)
      .flatMap((run) =>
        Array.from(run.matchAll(/koha-testing\/koha-testing (\w+)/g), ([, name = '']) => name),
      );
    expect(new Set(called)).toEqual(new Set(['branch', 'up', 'prove', 'rehearse', 'logs', 'down']));
    for (const name of called) expect(usage).toMatch(new RegExp(`^  ${name}\\) `, 'm'));
  });

  test('the rehearsal runs even if doctor or a test of the plugin fails, and nothing is left behind', () => {
    const steps = jobs['rehearsal']?.steps ?? [];
    const at = (command: string) => steps.find(({ run }) => run?.startsWith(`${SCRIPT} ${command}`) === true);
    expect(at('up')?.if).toBeUndefined();
    expect(at('rehearse')?.if).toContain('!cancelled()');
    expect(steps.at(-1)).toMatchObject({ if: 'always()', run: `${SCRIPT} down` });
    expect(
      steps.find(({ uses }) => uses?.startsWith('actions/upload-artifact@') === true)?.with?.['path'],
    ).toBe('.koha-testing/reports/');
  });

  test('what is sent, answered and relied on is compared with the source of each of them', () => {
    const commands = runs(jobs['source'] ?? { steps: [] }).join('\n');
    expect(commands).toContain('KOHA_OPENAPI="$RUNNER_TEMP/koha" npm test -- packages/');
    expect(commands).toContain('compare-with-koha.pl "$RUNNER_TEMP/koha"');
    for (const [path] of commands.matchAll(/\b(?:packages|apps)\/[\w./-]+/g))
      expect(existsSync(join(ROOT, path))).toBe(true);
  });
});

test('on GitHub no comparison with Koha’s description is skipped: each job of tests has a checkout', () => {
  const jobs = Object.values(workflow('ci.yml').jobs).filter((job) =>
    runs(job).some((run) => /npm (?:test|run test:all)/.test(run)),
  );
  expect(jobs).toHaveLength(2);
  for (const { steps } of jobs) {
    const checkout = steps.find((step) => step.with?.['repository'] === 'Koha-Community/Koha');
    expect(checkout?.with).toMatchObject({ path: '.koha', 'sparse-checkout': 'api/v1/swagger' });
    expect(steps.at(-1)?.run).toMatch(/^KOHA_OPENAPI="\$PWD\/\.koha" npm /);
  }
});

test('the badges of the README are those of workflows that are there', () => {
  const badges = Array.from(
    read('README.md').matchAll(/\.\.\/\.\.\/actions\/workflows\/([\w.-]+\.yml)/g),
    ([, name = '']) => name,
  );
  expect(new Set(badges)).toEqual(new Set(['ci.yml', 'koha.yml']));
  for (const name of badges) expect(existsSync(join(ROOT, '.github/workflows', name))).toBe(true);
});

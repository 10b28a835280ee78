import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { JOIN_PATH } from '@passport/contract';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
type ReadBlocks = (
  page: string,
  section: string,
) => readonly { readonly heading: string; readonly text: string; readonly notRun: string | null }[];
const { readBlocks } = (await import(join(ROOT, 'scripts/compose/read-page.mjs'))) as {
  readBlocks: ReadBlocks;
};
const blocks = readBlocks(await read('docs/install.md'), 'With docker compose');

/** `npm run test:compose` runs the blocks of the page but for those that are marked (scripts/compose/follow-page.mjs). */
describe('the page about compose', () => {
  test('leads from nothing to an upgrade, and has commands for each step', () => {
    expect([...new Set(blocks.map(({ heading }) => heading))]).toEqual([
      'Prepare',
      'Configuration and secrets',
      'First start',
      'First login',
      'The TLS proxy',
      'Change the configuration',
      'Rotate the secrets',
      'Back up',
      'Restore',
      'Upgrade and scale',
      'Prometheus and Grafana',
    ]);
  });

  test('has only these commands that are not run, each with a reason', () => {
    const marked = blocks.filter(({ notRun }) => notRun !== null);
    expect(marked.map(({ heading, text }) => [heading, text.trim().split('\n')[0]])).toEqual([
      ['Prepare', 'docker compose pull --policy always'],
      ['Prepare', 'docker compose build receiver'],
      ['The TLS proxy', 'sudo apt install nginx certbot'],
      ['Upgrade and scale', 'docker compose pull --policy always'],
      ['Prometheus and Grafana', 'docker compose --profile monitoring up -d --wait'],
    ]);
    for (const { notRun } of marked) expect(notRun).toMatch(/^it needs|^it changes|^the test builds/);
  });

  test('every other block of a shell is found by the reader of the page', async () => {
    const [, section = ''] = (await read('docs/install.md')).split('\n## With docker compose\n');
    expect(blocks).toHaveLength([...section.matchAll(/^```\w+$/gm)].length);
    expect(blocks.filter(({ text }) => text.trim() === '')).toEqual([]);
  });

  test('has a proxy that passes events, and what a library needs to join', async () => {
    const proxy = await read('docs/reverse-proxy.md');
    const passed = [...proxy.matchAll(/location (\S.*?) +\{ proxy_pass http:\/\/passport_receiver;/g)];
    expect(passed.map(([, path]) => path)).toEqual(['/webhooks/', `= ${JOIN_PATH}`, `${JOIN_PATH}/`]);
  });

  test('names the versions of images and ports that docker-compose.yml has', async () => {
    const compose = await read('docker-compose.yml');
    const page = await read('docs/install.md');
    for (const name of [
      'PROMETHEUS_IMAGE',
      'GRAFANA_IMAGE',
      'PROMETHEUS_PUBLISH',
      'GRAFANA_PUBLISH',
      'GRAFANA_USER',
    ]) {
      const [, value = ''] = new RegExp(`\\$\\{${name}:-([^}]+)\\}`).exec(compose) ?? [];
      expect(value).not.toBe('');
      expect(page).toContain(`\`${value}\``);
    }
  });
});

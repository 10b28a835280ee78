import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { passport } from './run-cli.ts';

const ROOT = join(import.meta.dirname, '../../..');
const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(ROOT, folder, name))
    .filter((path) => path.endsWith('.md'));

/** The usage lines of a command and of all below it, by their help. */
async function usagesBelow(command: readonly string[]): Promise<readonly string[]> {
  const { out } = await passport([...command, '--help'], {});
  const [usage = ''] = /^Usage: (?:passport .+)$/m.exec(out) ?? [];
  const [, list = ''] = /^Commands:\n((?: .*\n)*)/m.exec(out) ?? [];
  const names = Array.from(list.matchAll(/^ {2}(\w+)/gm), ([, name = '']) => name);
  const below = await Promise.all(
    names.filter((name) => name !== 'help').map((name) => usagesBelow([...command, name])),
  );
  return [usage, ...below.flat()];
}

test('each command is on a page', async () => {
  const usages = await usagesBelow([]);
  const commands = usages.flatMap((usage) => {
    const [, name = null] = /^Usage: (passport .+?) \[options\](?! \[command\])/.exec(usage) ?? [];
    return name === null ? [] : [name];
  });
  expect(commands).toContain('passport events retry');
  const pages = [join(ROOT, 'README.md'), ...['docs', 'deploy'].flatMap(markdownIn)]
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  expect(commands.filter((name) => !pages.includes(name))).toEqual([]);
});

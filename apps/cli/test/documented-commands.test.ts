import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { passport } from './run-cli.ts';

const ROOT = join(import.meta.dirname, '../../..');
const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(ROOT, folder, name))
    .filter((path) => path.endsWith('.md'));

const helpOf = async (command: readonly string[], env: NodeJS.ProcessEnv): Promise<string> =>
  (await passport([...command, '--help'], env)).out;

/** The usage lines of a command and of all below it, by their help. */
async function usagesBelow(command: readonly string[]): Promise<readonly string[]> {
  const out = await helpOf(command, {});
  const [usage = ''] = /^Usage: (?:passport .+)$/m.exec(out) ?? [];
  const [, list = ''] = /^Commands:\n((?: .*\n)*)/m.exec(out) ?? [];
  const names = Array.from(list.matchAll(/^ {2}(\w+)/gm), ([, name = '']) => name);
  const below = await Promise.all(
    names.filter((name) => name !== 'help').map((name) => usagesBelow([...command, name])),
  );
  return [usage, ...below.flat()];
}

/** Each command as it is typed, without options. */
const documented = async (): Promise<readonly string[]> =>
  (await usagesBelow([])).flatMap((usage) => {
    const [, name = null] = /^Usage: (passport .+?) \[options\](?! \[command\])/.exec(usage) ?? [];
    return name === null ? [] : [name];
  });

test('each command is on a page', async () => {
  const commands = await documented();
  expect(commands).toContain('passport events retry');
  const pages = [join(ROOT, 'README.md'), ...['docs', 'deploy'].flatMap(markdownIn)]
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  expect(commands.filter((name) => !pages.includes(name))).toEqual([]);
});

test('the help of each command names commands as they are typed in this installation', async () => {
  const commands = (await documented()).filter((name) => name !== 'passport completion');
  const bare = new RegExp(`passport (?:${commands.map((name) => name.split(' ')[1]).join('|')})\\b`);
  for (const name of commands) {
    const words = name.split(' ').slice(1);
    const help = await helpOf(words, { PASSPORT_INSTALL: 'compose' });
    expect(help).toContain(`Usage: docker compose run --rm cli ${words.join(' ')} `);
    expect([name, bare.exec(help)?.[0] ?? null]).toEqual([name, null]);
  }
});

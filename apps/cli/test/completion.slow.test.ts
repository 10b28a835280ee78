import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { findProgram } from '@passport/testkit';
import { passport } from './run-cli.ts';

const scripts = new Map<string, string>();
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out, err } = await passport(['completion', shell], {});
    expect({ code, err }).toEqual({ code: 0, err: '' });
    scripts.set(shell, out);
  }
});

/** Every command that the help names, with the words that lead to it. */
async function commandsOf(path: readonly string[] = []): Promise<string[][]> {
  const { out } = await passport([...path, '--help'], {});
  const [, listed = ''] = /\nCommands:\n((?: {2}.*\n)+)/.exec(out) ?? [];
  const words = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, word = '']) => word);
  const inner = await Promise.all(
    words.filter((word) => word !== 'help').map((word) => commandsOf([...path, word])),
  );
  return [...words.filter((word) => word !== 'help').map((word) => [...path, word]), ...inner.flat()];
}

/** What bash offers for the last of these words. */
function offered(...words: readonly string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const line = `COMP_WORDS=(passport ${typed}); COMP_CWORD=${words.length}; _passport; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = `${scripts.get('bash') ?? ''}\n${line}`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('bash completes', () => {
  test('every command that there is, and every option of it', async () => {
    const commands = await commandsOf();
    expect(commands.length).toBeGreaterThan(20);
    for (const command of commands) {
      expect(offered(...command)).toContain(command.at(-1));
      const { out } = await passport([...command, '--help'], {});
      const [, options = ''] = /\nOptions:\n((?: {2}.*\n)+)/.exec(out) ?? [];
      const flags = [...options.matchAll(/(?:^ {2}|, )(--[a-z-]+)/gm)].map(([, flag]) => flag);
      expect(flags).toContain('--help');
      expect({ command, offered: new Set(offered(...command, '--')) }).toEqual({
        command,
        offered: new Set(flags),
      });
    }
  }, 60_000);

  test.each<[string, string[], string[]]>([
    ['the first word', ['ev'], ['events']],
    ['the second', ['events', 'w'], ['watch']],
    ['a value', ['events', 'list', '--state', 'wa'], ['waiting']],
    ['one of many values', ['events', 'list', '--state', 'failed', 'wa'], ['waiting']],
    ['an option after many values', ['events', 'list', '--state', 'failed', '--li'], ['--limit']],
    ['an option after a value', ['events', 'retry', '--at', 'riverside', '--out'], ['--outcome']],
    ['an option after an argument', ['doctor', 'riverside', '--pr'], ['--probe']],
    ['a word of the argument', ['completion', ''], ['bash', 'zsh', 'fish', '--json', '--help']],
    ['nothing for a free value', ['events', 'list', '--at', ''], []],
    ['nothing for a command that there is not', ['events', 'wat', 'x'], []],
  ])('%s', (_what, words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });
});

const lacks = (shell: string): boolean => findProgram(shell) === null;
const why = (shell: string): string => (lacks(shell) ? ` (skipped: apt-get install ${shell})` : '');

describe('the other shells', () => {
  test('their scripts have every command and option, too', async () => {
    const [zsh = '', fish = ''] = [scripts.get('zsh'), scripts.get('fish')];
    for (const command of await commandsOf()) {
      const path = command.join(' ');
      expect(zsh).toContain(`'${path}') found=(`);
      expect(fish).toContain(`'__passport_in ${path}'`);
    }
  });

  const expected: [typed: string[], offered: string[]][] = [
    [['events', 'w'], ['watch']],
    [['events', 'list', '--state', 'wa'], ['waiting']],
    [['events', 'list', '--state', 'failed', '--li'], ['--limit']],
    [['doctor', 'riverside', '--pr'], ['--probe']],
    [['completion', 'z'], ['zsh']],
  ];
  const run = (shell: string, line: string): string[] => {
    const { stdout, stderr, status } = spawnSync(shell, ['-c', `${scripts.get(shell)}\n${line}`], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout.split('\n').filter((each) => each !== '');
  };

  (lacks('fish') ? test.skip : test)(`fish completes, with what each word is for${why('fish')}`, () => {
    for (const [typed, words] of expected) {
      const offer = run('fish', `complete -C 'passport ${typed.join(' ')}'`);
      expect(offer.map((each) => each.split('\t')[0])).toEqual(words);
      expect(offer[0]).toMatch(/\t\w/);
    }
  });

  (lacks('zsh') ? test.skip : test)(`zsh completes${why('zsh')}`, () => {
    // What zsh itself does with the candidates needs a terminal: here they are printed.
    const stand = 'compdef() { }; _files() { }; _describe() { print -l -- ${(P)2}; }';
    for (const [typed, words] of expected) {
      const current = `words=(passport ${typed.join(' ')}); CURRENT=${typed.length + 1}; _passport`;
      const offer = spawnSync('zsh', ['-c', `${stand}\n${scripts.get('zsh')}\n${current}`], {
        encoding: 'utf8',
      });
      expect({ status: offer.status, stderr: offer.stderr }).toEqual({ status: 0, stderr: '' });
      const last = typed.at(-1) ?? '';
      const fitting = offer.stdout.split('\n').filter((each) => each.startsWith(last));
      expect(fitting.map((each) => each.split(':')[0])).toEqual(words);
    }
  });
});

test('another shell is wrong use', async () => {
  const { code, err } = await passport(['completion', 'tcsh'], {});
  expect(code).toBe(2);
  expect(err).toContain('Allowed choices are bash, zsh, fish');
});

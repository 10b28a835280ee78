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

/** The lines that `passport __complete` prints for the last of these words. */
async function linesFor(words: readonly string[]): Promise<string> {
  const { code, out, err } = await passport(['__complete', ...words], {});
  expect({ code, err }).toEqual({ code: out === '' ? 1 : 0, err: '' });
  return out;
}

async function offered(...words: readonly string[]): Promise<string[]> {
  const lines = (await linesFor(words)).split('\n').filter((line) => line !== '');
  for (const line of lines) expect(line).toMatch(/^[\w-]+\t\S/);
  return lines.map((line) => line.split('\t')[0] ?? '');
}

/** Where the script calls `passport` with other words than those that were typed, this is offered. */
const WRONG = 'called-with-other-words';
const STAND_INS: Readonly<Record<string, string>> = {
  fish: `function passport
    test (string join '|' -- $argv) = $WANTED; or begin; echo ${WRONG}; return 0; end
    printf '%s' $ANSWER; test -n "$ANSWER"
  end`,
  bash: `passport() {
    [ "$(printf '%s|' "$@")" = "$WANTED|" ] || { echo ${WRONG}; return 0; }
    printf '%s' "$ANSWER"; [ -n "$ANSWER" ]
  }`,
};

/** Runs a line after the script of a shell, in which `passport` answers as it does in this process. */
async function inShell(shell: string, words: readonly string[], line: string): Promise<string[]> {
  const env = {
    ...process.env,
    WANTED: ['__complete', ...words].join('|'),
    ANSWER: await linesFor(words),
  };
  const before = shell === 'zsh' ? 'compdef() { }' : '';
  const script = [before, STAND_INS[shell] ?? STAND_INS['bash'], scripts.get(shell), line].join('\n');
  const args = shell === 'bash' ? ['--norc', '-c', script] : ['-c', script];
  const { stdout, stderr, status } = spawnSync(shell, args, { encoding: 'utf8', env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((each) => each !== '');
}

/** What bash offers for the last of these words. */
function offeredByBash(words: readonly string[]): Promise<string[]> {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const line = `COMP_WORDS=(passport ${typed}); COMP_CWORD=${words.length}; _passport; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inShell('bash', words, line);
}

describe('bash completes', () => {
  test('every command that there is, and every option of it', async () => {
    const commands = await commandsOf();
    expect(commands.length).toBeGreaterThan(20);
    for (const command of commands) {
      expect(await offered(...command)).toContain(command.at(-1));
      const { out } = await passport([...command, '--help'], {});
      const [, options = ''] = /\nOptions:\n((?: {2}.*\n)+)/.exec(out) ?? [];
      const flags = [...options.matchAll(/(?:^ {2}|, )(--[a-z-]+)/gm)].map(([, flag]) => flag);
      expect(flags).toContain('--help');
      expect({ command, offered: new Set(await offered(...command, '--')) }).toEqual({
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
  ])('%s', async (_what, words, expected) => {
    expect(await offeredByBash(words)).toEqual(expected);
  });
});

const lacks = (shell: string): boolean => findProgram(shell) === null;
const why = (shell: string): string => (lacks(shell) ? ` (skipped: apt-get install ${shell})` : '');

describe('the other shells', () => {
  const expected: [typed: string[], offered: string[]][] = [
    [['events', 'w'], ['watch']],
    [['events', 'list', '--state', 'wa'], ['waiting']],
    [['events', 'list', '--state', 'failed', '--li'], ['--limit']],
    [['doctor', 'riverside', '--pr'], ['--probe']],
    [['completion', 'z'], ['zsh']],
  ];
  (lacks('fish') ? test.skip : test)(`fish completes, with what each word is for${why('fish')}`, async () => {
    for (const [typed, words] of expected) {
      const offer = await inShell('fish', typed, `complete -C 'passport ${typed.join(' ')}'`);
      expect(offer.map((each) => each.split('\t')[0])).toEqual(words);
      expect(offer[0]).toMatch(/\t\w/);
    }
    expect(await inShell('fish', ['completion', ''], `complete -C 'passport completion '`)).toHaveLength(5);
  });

  (lacks('zsh') ? test.skip : test)(`zsh completes${why('zsh')}`, async () => {
    // What zsh itself does with the candidates needs a terminal: here they are printed.
    const stand = '_files() { }; _describe() { print -l -- ${(P)2}; }';
    for (const [typed, words] of expected) {
      const current = `words=(passport ${typed.join(' ')}); CURRENT=${typed.length + 1}; _passport`;
      const offer = await inShell('zsh', typed, `${stand}\n${current}`);
      expect(offer.map((each) => each.split(':')[0])).toEqual(words);
      expect(offer[0]).toMatch(/^[\w-]+:\w/);
    }
  });
});

test('another shell is wrong use', async () => {
  const { code, err } = await passport(['completion', 'tcsh'], {});
  expect(code).toBe(2);
  expect(err).toContain('Allowed choices are bash, zsh, fish');
});

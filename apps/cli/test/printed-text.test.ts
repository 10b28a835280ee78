import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startKohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { fitTable } from '../src/program/align-rows.ts';
import { createPrinter, printableJson, printableText } from '../src/program/printed-text.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const own = leakGuard({ beforeEach, afterEach });

/** One of each kind: escape sequences in 7 and 8 bits, a bell, a carriage return, overrides of direction, zero width, a tag, a selector. */
const HOSTILE = [
  '\u001B]0;owned\u0007',
  '\u001B[2J',
  '\u009B31m',
  '\r',
  '\u0000',
  '\u007F',
  '\u202E',
  '\u2066',
  '\u200F',
  '\u061C',
  '\u200B',
  '\u2060',
  '\uFEFF',
  '\u00AD',
  '\u2028',
  '\u2029',
  '\u{E0041}',
  '\uFE0F',
  '\u{E0100}',
  '\u3164',
  '\uFFFE',
  '\uD800',
].join('x');

/** Ranges of what a terminal obeys or hides; written out once more, and not taken from what is tested. */
const OBEYED = [
  [0, 8],
  [0xb, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xfffe, 0xffff],
  [0xe0000, 0xe01ff],
] as const;
const isObeyed = (character: string): boolean =>
  OBEYED.some(
    ([from, to]) => from <= (character.codePointAt(0) ?? 0) && (character.codePointAt(0) ?? 0) <= to,
  );
const unobeyed = (text: string): string[] => Array.from(text).filter(isObeyed);
/** The escape sequences of our own colours. */
const OUR_COLORS = ['1m', '2m', '22m', '31m', '32m', '33m', '36m', '39m'].map((code) => `\u001B[${code}`);
const withoutColors = (text: string): string =>
  OUR_COLORS.reduce((left, color) => left.replaceAll(color, ''), text);

test('text loses every character that a terminal obeys or does not show, and keeps all others', () => {
  expect(printableText(`a${HOSTILE}z\tb\n`)).toMatch(/^a\]0;owned[\sx[;0-9Jm\]2]*z\tb\n$/);
  expect(unobeyed(printableText(HOSTILE))).toEqual([]);
  const good = 'Bibliothèque · Kovač · 図書館 · ספרייה · — “→” 📚 e\u0301\n';
  expect(printableText(good)).toBe(good);
});

test('JSON says the same, with such characters escaped', () => {
  const value = { name: HOSTILE, list: ['é', HOSTILE] };
  const json = printableJson(value);
  expect(unobeyed(json)).toEqual([]);
  expect(JSON.parse(json)).toEqual(value);
  expect(json).toContain('é');
});

test('a line and a JSON string have an end', () => {
  const long = 'x'.repeat(5_000_000);
  expect(printableText(`${long}\nshort\n`).length).toBeLessThan(10_000);
  expect(printableText(`${long}\nshort\n`)).toMatch(/…\nshort\n$/);
  expect(printableJson({ long }).length).toBeLessThan(10_000);
});

test('colours are ours alone: what looks like one in the text of others is not painted', () => {
  let printed = '';
  const { out, style } = createPrinter({
    isTerminal: true,
    columns: 200,
    randomBytes: (length: number) => Buffer.alloc(length, 7),
    out: (text: string) => {
      printed += text;
    },
    err: () => undefined,
  });
  out(
    `${style.red('fault')} \u001B[32mnothing wrong\u001B[39m <${'00'.repeat(16)} green>x</${'00'.repeat(16)}> ${style.dim('a\u001B[1mb')}\n`,
  );
  expect(printed).toBe(
    `\u001B[31mfault\u001B[39m [32mnothing wrong[39m <${'00'.repeat(16)} green>x</${'00'.repeat(16)}> \u001B[2ma[1mb\u001B[22m\n`,
  );
});

test('commands are as they are typed in this installation, in all that people read; data stays', () => {
  let printed = '';
  const take = (text: string): void => {
    printed += text;
  };
  const { out, data, err, jsonLine } = createPrinter({
    isTerminal: false,
    randomBytes: (length: number) => Buffer.alloc(length, 7),
    env: { PASSPORT_INSTALL: 'debian' },
    out: take,
    err: take,
  });
  out('passport status says more\n');
  err('passport: run passport doctor\n');
  jsonLine({ remedy: 'passport config reload', reason: 'passport status' });
  data('midland,passport status\n');
  err('{"audit":true,"because":"passport status"}\n');
  expect(printed).toBe(
    'sudo passport status says more\npassport: run sudo passport doctor\n{"remedy":"sudo passport config reload","reason":"passport status"}\nmidland,passport status\n{"audit":true,"because":"passport status"}\n',
  );
});

test('a terminal that reports no width has 80 columns', () => {
  let printed = '';
  const { out, width } = createPrinter({
    isTerminal: true,
    columns: 0,
    randomBytes: (length: number) => Buffer.alloc(length, 7),
    out: (text: string) => {
      printed += text;
    },
    err: () => undefined,
  });
  out(`${'word '.repeat(15)}\n`);
  expect(printed).toBe(`${'word '.repeat(15)}\n`);
  expect(width).toBe(80);
});

test('a mark that a cut line has lost leaves nothing behind', () => {
  let printed = '';
  const { out, style } = createPrinter({
    isTerminal: true,
    columns: 200,
    randomBytes: (length: number) => Buffer.alloc(length, 7),
    out: (text: string) => {
      printed += text;
    },
    err: () => undefined,
  });
  out(`${style.red('x'.repeat(9000))} and ${style.dim('y'.repeat(9000))}\n`);
  expect(printed).not.toContain('0707');
  expect(printed.length).toBeLessThan(9000);
});

test.each([true, false])(
  'doctor prints nothing that a hostile Koha makes a terminal obey (terminal: %j)',
  async (isTerminal) => {
    const riverside = own(await startKohaDouble({ library: 'riverside', plugin: true }));
    riverside.putSettings({
      plugin_version: `1.0.0${HOSTILE}`,
      // As long as Koha's column: what is longer is an error of its own there.
      libraries: [{ library_id: `MA${HOSTILE}`.slice(0, 10), name: HOSTILE }],
      plugin_findings: [
        { finding: 'type_mandatory', level: 'fault', name: `FAC${HOSTILE}`, figure: null },
        { finding: 'found_later', level: 'fault', name: HOSTILE, figure: HOSTILE },
      ],
    });
    const env = consortiumOf([{ ...riverside, change: { copy: { branch: { fixed: 'SOUTH' } } } }]);
    const { out, err } = await passport(['doctor'], env, { isTerminal });
    expect(unobeyed(withoutColors(`${out}${err}`))).toEqual([]);
    expect(out).toMatch(/no branch SOUTH/);
    const json = await passport(['doctor', '--json'], env);
    expect(unobeyed(json.out)).toEqual([]);
    expect(JSON.stringify(jsonOf(json))).toMatch(/branch_unknown/);
  },
);

describe('on a terminal', () => {
  const shown = (text: string, columns = 40, more: Partial<Parameters<typeof createPrinter>[0]> = {}) => {
    const written: string[] = [];
    const out = (part: string): void => void written.push(part);
    const printer = createPrinter({
      out,
      err: out,
      isTerminal: true,
      columns,
      randomBytes: (length) => Buffer.alloc(length, 7),
      ...more,
    });
    printer.err(text);
    return { text: written.join(''), plain: withoutColors(written.join('')) };
  };

  test('a long line is continued at a word, below where it began', () => {
    expect(shown('  midland  away since yesterday, because of a timeout there\n').plain).toBe(
      '  midland  away since yesterday, because\n    of a timeout there\n',
    );
  });

  test('a long command is continued as a shell reads it, so that it can be copied; a word that is too long stays whole', () => {
    const command = `  $ passport copies purge --at riverside --because "never cut in here" ${'1'.repeat(30)}\n`;
    expect(shown(command).plain).toBe(
      `  $ passport copies purge \\\n      --at riverside \\\n      --because "never cut in here" \\\n      ${'1'.repeat(30)}\n`,
    );
    expect(shown(`${'x'.repeat(60)}\n`).plain).toBe(`${'x'.repeat(60)}\n`);
  });

  test('an audit line is one dim line of words', () => {
    const line = {
      level: 30,
      time: 1,
      name: 'cli',
      audit: true,
      action: 'pause',
      by: 'root',
      library: 'midland',
      as: ['home'],
      msg: 'x',
    };
    const { text, plain } = shown(`${JSON.stringify(line)}\n`, 80);
    expect(plain).toBe('audit: pause by root, library midland, as home\n');
    expect(text).not.toBe(plain);
  });

  test('it has one line however much it says, its times are local, and no hash is in it', () => {
    const until = '2026-11-30T00:41:14.927Z';
    const because = `upgrade\n${'very '.repeat(40)}`;
    const line = { audit: true, action: 'pause', by: 'root', card_hash: 'tpb2LA:x', until, because };
    const { plain } = shown(`${JSON.stringify(line)}\n`, 80);
    expect(plain).toMatch(
      /^audit: pause by root, until 2026-11-30 \d\d:\d\d:\d\d \S+, because upgrade very .*…\n$/,
    );
    expect(plain).toHaveLength(81);
  });

  test('where standard error goes to a file, it gets JSON without colours', () => {
    const line = `${JSON.stringify({ audit: true, action: 'pause', by: 'root', because: 'x '.repeat(60) })}\n`;
    const { text } = shown(line, 80, { isErrTerminal: false });
    expect(text).toBe(line);
  });

  test('where standard output goes to a file, the audit is still words on the terminal', () => {
    const line = `${JSON.stringify({ audit: true, action: 'pause', by: 'root' })}\n`;
    expect(shown(line, 80, { isTerminal: false, isErrTerminal: true }).plain).toBe('audit: pause by root\n');
  });

  test('without colours lines are continued all the same', () => {
    expect(shown('one two three\n', 8, { hasColors: false }).text).toBe('one two\n  three\n');
  });

  test('no line that is something else is taken for one', () => {
    expect(shown('{"audit":"no"}\n').plain).toBe('{"audit":"no"}\n');
    expect(shown('{not json\n').plain).toBe('{not json\n');
  });
});

describe('a table', () => {
  const HEAD = ['patron', 'lending', 'last passed on', 'overdue', 'fields'];
  const ROWS = [
    ['4', 'riverside', '2026-11-29', '-', 'address city country date_of_birth email firstname phone surname'],
    ['12', 'lakeside', '2026-11-29', '-', ''],
  ];

  test('is as wide as it is where it fits, or where nobody reads along', () => {
    const { heading, lines, leftOut } = fitTable(HEAD, ROWS, [0, 3], Infinity);
    expect(heading).toEqual(['patron  lending    last passed on  overdue  fields']);
    expect(lines[1]).toBe('    12  lakeside   2026-11-29            -');
    expect(leftOut).toEqual([]);
  });

  test('continues its text below itself, and leaves out figures that say nothing', () => {
    expect(fitTable(HEAD, ROWS, [0, 3], 62)).toEqual({
      heading: [
        '                   last',
        '                   passed',
        'patron  lending    on          fields',
      ],
      lines: [
        '     4  riverside  2026-11-29  address city country',
        '                               date_of_birth email firstname',
        '                               phone surname',
        '    12  lakeside   2026-11-29',
      ],
      leftOut: ['overdue'],
    });
  });

  test('has its text on lines of its own where that would be narrow', () => {
    const { lines } = fitTable(HEAD, ROWS, [0, 3], 50);
    expect(lines[0]).toBe('     4  riverside  2026-11-29');
    expect(lines[1]).toMatch(/^  address city/);
  });

  test('is a paragraph for each row where even that is too wide', () => {
    const { heading, lines } = fitTable(
      ['a', 'number', 'text'],
      [['x'.repeat(20), '3', 'some text']],
      [1],
      24,
    );
    expect([...heading, ...lines]).toEqual(['x'.repeat(20), '  number 3', '  some text']);
  });
});

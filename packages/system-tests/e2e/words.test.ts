import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { avoidedWords, proseOf, wordsOfCode, wordsOfPath } from '../harness/avoided-words.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PASSPORT = join(ROOT, 'apps/cli/bin/passport.js');
const run = promisify(execFile);

const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => !/(?:^|\/)(?:node_modules|dist)\//.test(name));

/** TypeScript, JavaScript, Perl and shell: sources, tests, testkit, benchmarks, the plugin and scripts. */
const CODE = /\.(?:ts|m?js|p[lm]|t|sh)$|^packaging\/debian\/[a-z-]+$|^\.ci\/run$/;
/** Code that has none of these words left: names of files, names, comments, log lines and errors. */
const CLEAN_CODE = [
  ...['apps', 'packages'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name)),
  ),
  'scripts',
  'deploy',
  'packaging',
  '.ci',
];
/** Where the old names in Redis are explained, once; and the words themselves. */
const NAMES_OF_WORDS = new Set([
  'packages/queue/src/keys.ts',
  'packages/system-tests/harness/avoided-words.ts',
  'packages/system-tests/e2e/words.test.ts',
]);
/** How Koha queries its database: there tables are joined. */
const SQL_SOURCES = /^packages\/koha-double\/(?:src\/(?:patrons|query)\/|test\/request-shapes)/;

const codeIn = (folder: string): string[] =>
  filesIn(folder).filter((name) => CODE.test(name) && !NAMES_OF_WORDS.has(name));

const markdownIn = (folder: string): string[] => filesIn(folder).filter((name) => name.endsWith('.md'));

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'apps', 'packages', 'deploy', '.github'].flatMap(markdownIn),
];

const whole = (text: string): string => text;
const commentsIn = (text: string): string =>
  Array.from(text.matchAll(/(?:^|\s)#(.*)$/gm), ([, comment]) => comment ?? '').join('\n');
const valuesOf = (text: string, keys: string): string =>
  Array.from(text.matchAll(new RegExp(`"?(?:${keys})"?: (.*)$`, 'gm')), ([, value]) => value ?? '').join(
    '\n',
  );
const yamlIn = (folder: string): string[] => filesIn(folder).filter((name) => /\.ya?ml$/.test(name));
const english = (text: string): string =>
  Object.values((JSON.parse(text) as { en: Record<string, string> }).en).join('\n');
const withoutTags = (text: string): string =>
  text.replaceAll(/\[%.*?%\]|<(?:code|script|style)\b.*?<\/(?:code|script|style)>|<[^>]*>/gs, ' ');

/** Other texts that operators and staff read, and what of each file is prose. */
const TEXTS: readonly (readonly [file: string, prose: (text: string) => string])[] = [
  ['deploy/prometheus/alerts.yml', (text) => valuesOf(text, 'summary|description') + commentsIn(text)],
  ['deploy/grafana/patron-passport.json', (text) => valuesOf(text, 'title|description|text|legendFormat')],
  ['docker-compose.yml', commentsIn],
  ['Dockerfile', commentsIn],
  ['passport.example.yaml', commentsIn],
  ['docker-bake.hcl', commentsIn],
  ...readdirSync(join(ROOT, 'packaging/debian')).map((name): [string, typeof commentsIn] => [
    join('packaging/debian', name),
    /^(?:control|copyright|templates)$/.test(name) ? whole : commentsIn,
  ]),
  ['.env.example', commentsIn],
  ...['deploy/kubernetes', '.github'].flatMap(yamlIn).map((file): [string, typeof whole] => [file, whole]),
  ['apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk/messages.json', english],
  ['apps/koha-plugin/Koha/Plugin/Org/PatronPassport/configure.tt', withoutTags],
  [
    'apps/koha-plugin/Koha/Plugin/Org/PatronPassport/openapi.json',
    (text) => valuesOf(text, 'summary|description'),
  ],
  ...['apps', 'packages'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).flatMap((name): [string, typeof commentsIn][] => {
      const file = join(folder, name, 'package.json');
      return existsSync(join(ROOT, file)) ? [[file, (text) => valuesOf(text, 'description')]] : [];
    }),
  ),
];

const helpOf = async (command: readonly string[]): Promise<string> =>
  (await run(process.execPath, [PASSPORT, ...command, '--help'])).stdout;

/** The help of a command and of all below it. */
async function allHelp(command: readonly string[]): Promise<string> {
  const help = await helpOf(command);
  const list = /^Commands:\n((?: .*\n)*)/m.exec(help)?.[1] ?? '';
  const names = Array.from(list.matchAll(/^ {2}(\w+)/gm), ([, name]) => name ?? '');
  const below = await Promise.all(
    names.filter((name) => name !== 'help').map((name) => allHelp([...command, name])),
  );
  return [help, ...below].join('\n');
}

describe("the field's words", () => {
  test.each(PAGES)('%s has no private term', (page) => {
    expect(avoidedWords(proseOf(readFileSync(join(ROOT, page), 'utf8')))).toEqual([]);
  });

  test.each(TEXTS)('%s has none in what people read', (file, prose) => {
    const text = prose(readFileSync(join(ROOT, file), 'utf8'));
    expect(text).toMatch(/\w{3}/);
    expect(avoidedWords(text)).toEqual([]);
  });

  test('the help of no command has one, and each command is on a page', async () => {
    const help = await allHelp([]);
    const commands = Array.from(help.matchAll(/^Usage: (passport .+?) \[options\](?! \[command\])/gm));
    expect(commands.map(([, name]) => name)).toContain('passport events retry');
    expect(avoidedWords(help)).toEqual([]);
    const pages = PAGES.map((page) => readFileSync(join(ROOT, page), 'utf8')).join('\n');
    expect(commands.flatMap(([, name = '']) => (pages.includes(name) ? [] : [name]))).toEqual([]);
  });

  test.each(CLEAN_CODE)('the code of %s has none', (folder) => {
    const files = codeIn(folder);
    expect(files.length).toBeGreaterThan(0);
    const found = files.flatMap((file) =>
      [
        ...avoidedWords(wordsOfPath(file)),
        ...avoidedWords(wordsOfCode(readFileSync(join(ROOT, file), 'utf8'))),
      ]
        .filter((line) => !SQL_SOURCES.test(file) || !line.startsWith('join'))
        .map((line) => `${file}: ${line}`),
    );
    expect(found).toEqual([]);
  });

  test.each([
    'const tellLater = () => undefined;',
    'WAKE_BATCH',
    "log.warn('a chore failed')",
    '// whoever asks',
    'interface Verdict {}',
    'readonly sealed: string;',
    'const key = `guard:${id}`;',
    "test('the other verdicts are as ever', async () => {",
    "await waitFor('the desk to be told', isThere);",
    'const ASKS = { consent };',
    'sub lend_item { # the rest of the loan',
    'my ($joined) = ask($library);',
  ])('it finds a planted one in the code "%s"', (code) => {
    expect(avoidedWords(wordsOfCode(code))).not.toEqual([]);
  });

  test.each([
    'job.sealed_card',
    'library.retry.tellKoha',
    "lines.join('')",
    'restored, interest',
    'asked: queried,',
    '{ ask_at => $now, told => to_stored($kept) }',
    "my $sql = 'LEFT JOIN borrowers b' . join q{, }, @columns;",
    "{ event_id => 'scan_1', joined => 1 }",
  ])('it leaves the code "%s" alone', (code) => {
    expect(avoidedWords(wordsOfCode(code))).toEqual([]);
  });

  test.each([
    'The rooms of this house',
    'Mend it, then tell the desk',
    '- its Turn is taken up',
    'nobody is asked',
    '[a verdict](verdict.md)',
    '```mermaid\n  W->>K: lend the item\n```',
  ])('the list finds a planted one in "%s"', (text) => {
    expect(avoidedWords(proseOf(text))).not.toEqual([]);
  });

  test.each([
    'a lending library, a patron lock, a REST API, the `on_look_alike` key',
    '[encrypted](docs/seal.md)',
    '```sh\nask tell mend\n```',
    'turned on, restored, housed, interest, a task',
  ])('it leaves "%s" alone', (text) => {
    expect(avoidedWords(proseOf(text))).toEqual([]);
  });
});

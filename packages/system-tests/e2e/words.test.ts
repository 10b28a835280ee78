import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PASSPORT = join(ROOT, 'apps/cli/bin/passport.js');
const run = promisify(execFile);

/**
 * Words that have, or once had, a meaning of their own in this project, each with the usual word. Documentation and help
 * avoid them altogether, so that no reader has to guess whether one is meant in its usual sense.
 * They are allowed in code spans and code blocks: public codes and keys such as `on_look_alike` stay.
 */
const AVOIDED: Readonly<Record<string, string>> = {
  'rooms?': 'package',
  'houses?': 'package, library',
  'turns?': 'patron lock',
  'gates?|guards?|guarded': 'rate limit, admission, idempotency key',
  'joins?|joined': 'coalesced',
  'tells?|telling|tellings|told': 'report, notify, say',
  'story|stories|endings?|run end': 'workflow, result, outcome',
  '(?:takes?|taken|took|taking) up|gives? back|hand(?:s|ed)? back|put(?:s)? back': 'use, return, requeue',
  'asks?|asked|asking': 'look up, query, request',
  'mends?|mended|mending': 'fix',
  'parks?|parked|parking|wakes?|woken|waking': 'delay, promote',
  'chores?|housekeeping': 'maintenance',
  'sightings?': 'library health',
  'rests?|resting': 'back-off, pause; others',
  'held write|holds? up|held up': 'fenced write; blocked',
  'seals?|sealed|sealing': 'encrypt',
  'verdicts?|judges?|judged|judging': 'matching, eligibility, decision',
  'lends?|lent|loans?': 'check out, checkout',
  'look-alikes?|lookalikes?': 'possible duplicate',
};
const WORDS = new RegExp(`(?<![\\w-])(?:${Object.keys(AVOIDED).join('|')})(?![\\w-])`, 'gi');

/** The prose of a Markdown page: diagrams included, but no other code blocks, code spans, comments or link targets. */
function proseOf(markdown: string): string {
  return markdown
    .replaceAll(/^ *```(?!mermaid)\w+\n.*?^ *```$/gms, '')
    .replaceAll(/^ *```.*$/gm, '')
    .replaceAll(/<!--.*?-->/gs, '')
    .replaceAll(/`[^`]*`/g, '')
    .replaceAll(/\]\([^)]*\)/g, ']');
}

/** `REST` is the protocol, "not for loan" a status of Koha's, "or ask" the value of a key; and staff do ask patrons. */
const USUAL = /\bREST\b|\bnot for loan\b|\bAsk the patron\b|\bor ask\b/g;

/** Each avoided word of a text, with its line. */
function avoidedWords(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) =>
      Array.from(
        line.replaceAll(USUAL, '').matchAll(WORDS),
        ([word]) => `${word}: ${line.trim().slice(0, 120)}`,
      ),
    );
}

/** Code that has none of these words left: names, comments, log lines and errors. */
const CLEAN_CODE = ['apps', 'packages']
  .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(folder, name, 'src')))
  .filter((sources) => existsSync(join(ROOT, sources)));
/** Names that other systems or other versions read, and words in their plain sense. */
const PLAIN_NAMES = [
  // Keys of the configuration, and the same in our models.
  /\b(?:on_look_alike|tell_koha|verdicts_per_hour|onLookAlike|tellKoha|verdictsPerHour)\b/,
  // What a person at a desk does: they put the question to the patron.
  /'ask'|`ask`|\bconsent(?: is|:) ask\b/,
  // Keys of a job; codes, labels and names of the contract; keys of the audit log and of `explain --json`.
  /\b(?:sealed_card|sealed_item|item_asked|NOT_ASKED|verdicts|passport_jobs_put_back_total|put_back)\b|\basked:|\.asked\b/,
  /'(?:joined|plugin_not_told)'|\bjoined: (?:true|isCoalesced|mark\()/,
  /'(?:look_alike|loan)'/,
  // The old name of a key in Redis, and what keeps tests from leaks.
  /\{passport\}:guard:|\bleak-guard\b|\bleakGuard\b/,
  // The label under which the keys of all jobs so far were derived.
  /subkey\(key, 'seal'\)/,
  // Koha's own codes, labels and preferences, and what databases print.
  /\bNOT_FOR_LOAN(?:_FORCING)?\b|\b(?:AllowN|n)otForLoan(?:Override)?\b|'Loan period'|\bselect from join left\b/,
  /\b(?:current_loan_count|max_loans_allowed)\b/,
  // What a person at a desk does, JavaScript, and the protocol.
  /\bAsk the patron\b|\bask at the\b|\bjoin\(|\bimport \{[^}]*\bjoin\b[^}]*\} from 'node:path'|\bREST\b/,
];
/** Where the old names in Redis are explained, once. */
const NAMES_IN_REDIS = 'packages/queue/src/keys.ts';
/** How Koha queries its database: there tables are joined. */
const SQL_SOURCES = /^packages\/koha-double\/src\/(?:patrons|query)\//;

const sourcesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .filter((name) => name !== NAMES_IN_REDIS);

/** A source, or its path, with each name cut into its words. */
const wordsOfCode = (source: string): string =>
  PLAIN_NAMES.reduce((text, name) => text.replaceAll(new RegExp(name, 'g'), ''), source)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ');
/** The hyphens of a file name separate words; those of a word like `put-back` do not. */
const wordsOfPath = (path: string): string => wordsOfCode(path).replaceAll(/[-./]/g, ' ');

const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/node_modules|dist\//.test(name))
    .map((name) => join(folder, name));

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'apps', 'packages', 'deploy', '.github'].flatMap(markdownIn),
];

const commentsIn = (text: string): string =>
  Array.from(text.matchAll(/(?:^|\s)#(.*)$/gm), ([, comment]) => comment ?? '').join('\n');
const valuesOf = (text: string, keys: string): string =>
  Array.from(text.matchAll(new RegExp(`"?(?:${keys})"?: (.*)$`, 'gm')), ([, value]) => value ?? '').join(
    '\n',
  );
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
    /^(?:control|copyright|templates)$/.test(name) ? (text) => text : commentsIn,
  ]),
  ['.env.example', commentsIn],
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
    const files = sourcesIn(folder);
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
  ])('it finds a planted one in the code "%s"', (code) => {
    expect(avoidedWords(wordsOfCode(code))).not.toEqual([]);
  });

  test.each([
    'job.sealed_card',
    'library.retry.tellKoha',
    "lines.join('')",
    'restored, interest',
    'asked: queried,',
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

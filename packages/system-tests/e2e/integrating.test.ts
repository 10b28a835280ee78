import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CANCEL_RESULTS, OUTCOMES, libraryStatusSchema } from '@passport/contract';
import { findProgram } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

const run = promisify(execFile);
const page = await readFile(new URL('../../../docs/integrating.md', import.meta.url), 'utf8');
const blocksOf = (language: string): readonly string[] =>
  Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')),
    ([, block = '']) => block,
  );

/** The page sets address, library and secret in its first block, and a reader writes his own there. */
const [, ...shell] = blocksOf('sh');
const [tested = '', scanned = '', followed = '', cancelled = '', serviceStatus = ''] = shell;
const [program = ''] = blocksOf('js');
const CARD = '21234000000017';
/** Where the program finds the library that it imports. */
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

const missing = ['curl', 'openssl'].filter((name) => findProgram(name) === null);
const shellTest = missing.length === 0 ? test : test.skip;
const note = missing.length === 0 ? '' : ` (skipped: no ${missing.join(' or ')} on this machine)`;

describe('the page about other senders', () => {
  let consortium: Consortium<keyof typeof threeLibraries>;
  let card: string;
  let dir: string;
  beforeAll(async () => {
    consortium = await startConsortium({ libraries: threeLibraries });
    card = registerPatron(consortium.doubles.midland);
    dir = await mkdtemp(join(tmpdir(), 'passport-integrating-'));
  }, 60_000);
  afterAll(async () => {
    await consortium?.stop();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  const env = () => ({
    PATH: process.env['PATH'],
    RECEIVER: consortium.services.receivers[0]?.url,
    LIBRARY: 'riverside',
    SECRET: consortium.secrets.riverside,
  });
  const runShell = (...blocks: readonly string[]) =>
    run('sh', ['-eu', '-c', blocks.join('\n').replaceAll(CARD, card)], {
      cwd: dir,
      env: env(),
      timeout: 60_000,
    });
  const runProgram = (text: string) =>
    run(process.execPath, ['--input-type=module', '--eval', text], {
      cwd: PACKAGE,
      env: env(),
      timeout: 60_000,
    });

  shellTest(
    `a test is answered${note}`,
    async () => {
      const { stdout, stderr } = await runShell(tested);
      expect(JSON.parse(stdout)).toEqual({
        event_id: expect.stringMatching(/^test_\d+$/),
        status: 'accepted',
        test: true,
      });
      expect(stderr).toBe('');
    },
    120_000,
  );

  shellTest(
    `a card is reported and followed with curl and OpenSSL, and cancelled when all is over${note}`,
    async () => {
      const { stdout, stderr } = await runShell(tested, scanned, followed, cancelled);
      expect(stdout).toContain('"outcome":"COPIED"');
      expect(stdout).toContain('"result":"ENDED"');
      expect(stderr).toBe('');
      expect(consortium.doubles.riverside.state(card).patrons).toHaveLength(1);
    },
    120_000,
  );

  shellTest(
    `the status of the service says that a worker of this version is there, and what today came to${note}`,
    async () => {
      const { stdout } = await runShell(tested, scanned, followed, serviceStatus);
      const { workers, version, outcomes, library } = libraryStatusSchema.parse(
        JSON.parse(stdout.slice(stdout.indexOf('{"library"'))),
      );
      expect(workers).toEqual({ alive: true, versions: [version] });
      expect(library.id).toBe('riverside');
      expect(outcomes.counts.map(({ outcome }) => outcome)).toContain('ALREADY_LOCAL');
    },
    120_000,
  );

  test('the program reports the same card, and hears that the patron is here', async () => {
    await runProgram(program.replaceAll(CARD, card));
    const { stdout } = await runProgram(program.replaceAll(CARD, card));
    expect(stdout).toBe('ALREADY_LOCAL This patron is already here. You can check out now.\n');
  }, 60_000);

  test('every error, outcome and result of a cancel is on it', async () => {
    const receiver = consortium.services.receivers[0]?.url ?? '';
    const described = (await (await fetch(`${receiver}/openapi.json`)).json()) as {
      components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } };
    };
    const codes = described.components.schemas.Problem.properties.code.enum;
    const absent = [...codes, ...OUTCOMES, ...CANCEL_RESULTS].filter((name) => !page.includes(`\`${name}\``));
    expect(absent).toEqual([]);
  });
});

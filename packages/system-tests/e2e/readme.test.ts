import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const readText = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');
const DEMO_PORTS = [8080, 8081, 8091, 8092, 8093];

/** The README's shell blocks, in their order. */
const BLOCKS = Array.from(readText('README.md').matchAll(/^```sh\n(.*?)^```$/gms), ([, block]) =>
  (block ?? '').trim(),
);

interface Command {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<number | null>;
}

/** Runs shell text in the project's root, in a process group of its own, as a terminal would. */
function runShell(text: string): Command {
  const child = spawn('sh', ['-e', '-c', text], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
  const outputs = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => {
      outputs[name] += piece;
    });
  }
  return {
    pid: child.pid ?? 0,
    stdout: () => outputs.stdout,
    stderr: () => outputs.stderr,
    exited: new Promise((resolve) => {
      child.once('close', resolve);
    }),
  };
}

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'passport-readme-'));
  made.push(folder);
  return folder;
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
const taken = (await Promise.all(DEMO_PORTS.map(isFree))).flatMap((free, place) =>
  free ? [] : [DEMO_PORTS[place]],
);
const demoTest = taken.length === 0 ? test : test.skip;
const note =
  taken.length === 0 ? '' : ` (skipped: the demo's ports ${taken.join(', ')} are taken on this machine)`;

interface DemoFile {
  readonly receiver: string;
  readonly redis_url: string;
  readonly dashboard: { readonly url: string; readonly user: string; readonly password: string };
  readonly admin: Readonly<Record<'receiver' | 'worker' | 'dashboard', string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly libraries: readonly {
    readonly id: string;
    readonly branches: readonly string[];
    readonly sample_cards: Readonly<Record<string, readonly string[]>>;
    readonly sample_items: readonly string[];
  }[];
}

/** The process id behind a port of this machine, as `.demo/running.json` has it. */
function childOf(mark: string): number {
  const { children } = JSON.parse(readText('.demo/running.json')) as {
    children: { pid: number; mark: string }[];
  };
  return children.findLast((child) => child.mark.includes(mark))?.pid ?? 0;
}

/** What a sample card of midland comes to at riverside, by its name in `.demo/demo.json`. */
const MEANINGS = {
  eligible: 'COPIED',
  children: 'COPIED',
  expired: 'NOT_ELIGIBLE EXPIRED',
  restricted: 'NOT_ELIGIBLE RESTRICTED',
  card_lost: 'NOT_ELIGIBLE CARD_LOST',
  address_unconfirmed: 'NOT_ELIGIBLE ADDRESS_UNCONFIRMED',
  debt: 'NOT_ELIGIBLE DEBT_OVER_LIMIT',
  // Not shared: for the desk, nobody knows the card.
  staff: 'NOT_FOUND',
  // Lakeside's patterns say nothing of it: midland is asked alone, unless they are taken out.
  two_homes: 'COPIED',
};

async function checkSampleCards({ libraries }: DemoFile): Promise<void> {
  const cards = libraries[0]?.sample_cards ?? {};
  expect(Object.keys(cards).sort()).toEqual(Object.keys(MEANINGS).sort());
  const found: Record<string, string> = {};
  for (const kind of Object.keys(MEANINGS)) {
    const card = cards[kind]?.at(-1) ?? '';
    const command = `. .demo/env; echo '${card}' | npx --no-install passport explain --at riverside --card - --json`;
    const explained = runShell(command);
    await explained.exited;
    const { outcome, reasons } = JSON.parse(explained.stdout()) as { outcome: string; reasons: string[] };
    found[kind] = [outcome, ...reasons].join(' ');
  }
  expect(found).toEqual(MEANINGS);
}

describe('the commands of the README', () => {
  test('are those that this test knows: demo, work on it, check, test', () => {
    expect(BLOCKS).toHaveLength(4);
    expect(BLOCKS[0]).toBe('npm run demo');
    expect(BLOCKS[1]).toContain('. .demo/env');
    expect(BLOCKS[2]).toBe('npm run demo -- --check');
    expect(BLOCKS[3]).toBe('npm test');
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test', 'check', 'bench', 'chaos']));
  });

  demoTest(
    `npm run demo starts a consortium that can be worked on, repairs itself, and is gone after Ctrl-C${note}`,
    async () => {
      const bin = makeFolder();
      const opened = join(bin, 'opened');
      writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$1" >> '${opened}'\n`, { mode: 0o755 });
      const demo = runShell(`PATH='${bin}':"$PATH" ${BLOCKS[0] ?? ''} -- --open`);
      try {
        await waitFor('the demo to say that it runs', () => /Three things to try/.test(demo.stderr()), {
          timeoutMs: 90_000,
        });
        const file = JSON.parse(readText('.demo/demo.json')) as DemoFile;
        expect(file.libraries.map(({ id }) => id)).toEqual(['midland', 'riverside', 'lakeside']);
        for (const { branches, sample_cards: cards, sample_items: items } of file.libraries) {
          expect(branches).toContain('MAIN');
          expect(cards['eligible']?.length).toBeGreaterThanOrEqual(12);
          expect(items.length).toBeGreaterThanOrEqual(12);
          for (const kind of ['expired', 'restricted', 'card_lost'])
            expect(cards[kind]?.length).toBeGreaterThan(0);
        }
        expect(readText('.demo/env')).toContain(`export REDIS_URL='${file.redis_url}'`);

        const welcome = demo.stderr().split('\n');
        expect(welcome.filter((line) => line.length > 78)).toEqual([]);
        await waitFor(
          'both pages to be opened',
          () => existsSync(opened) && readFileSync(opened, 'utf8').split('\n').length > 2,
        );
        expect(readFileSync(opened, 'utf8').split('\n').sort()).toEqual(
          ['', file.dashboard.url, 'http://127.0.0.1:8092/cgi-bin/koha/circ/circulation.pl'].sort(),
        );

        // Whoever has done what the demo says first can still do what the README says next.
        const indented = /^ {5}(\. \.demo\/env|echo \d+ \| npx .*)$/gm;
        const first = Array.from(demo.stderr().matchAll(indented), ([, command]) => command ?? '');
        expect(first).toHaveLength(3);
        const card = /card {2}(\d+)/.exec(demo.stderr())?.[1] ?? '';
        const followed = runShell([...first, (first[1] ?? '').replace(/\d+/, card)].join('\n'));
        expect({ code: await followed.exited, stderr: followed.stderr() }).toMatchObject({ code: 0 });

        const work = runShell(BLOCKS[1] ?? '');
        expect({ code: await work.exited, stderr: work.stderr() }).toMatchObject({ code: 0 });
        expect(work.stdout()).toContain('COPIED');
        expect(work.stdout()).toContain('3 checked: 0 faults, 0 warnings, 0 not checked');
        await checkSampleCards(file);

        const worker = childOf('apps/worker');
        process.kill(worker, 'SIGKILL');
        await waitFor(
          'another worker to be ready',
          async () => {
            const isOther = childOf('apps/worker') !== worker;
            return isOther && (await fetch(`${file.admin.worker}/readyz`)).ok;
          },
          { timeoutMs: 20_000 },
        );

        const { url, user, password } = file.dashboard;
        const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
        expect((await fetch(url)).status).toBe(401);
        expect((await fetch(url, { headers: { authorization } })).status).toBe(200);
      } finally {
        process.kill(-demo.pid, 'SIGINT');
      }
      await demo.exited;
      expect(demo.stderr()).toMatch(/Stopping\n$/);
      expect(await Promise.all(DEMO_PORTS.map(isFree))).toEqual(DEMO_PORTS.map(() => true));
      expect(() => readText('.demo/demo.json')).toThrow(/ENOENT/);
    },
    240_000,
  );

  test('a terminal that is set up for a demo that has ended says how to set it up again', async () => {
    const dir = join(makeFolder(), '.demo');
    mkdirSync(dir);
    const call = async (): Promise<string> => {
      const env = `PASSPORT_CONFIG='${dir}/passport.yaml' REDIS_URL=redis://:before@127.0.0.1:1`;
      const called = runShell(`${env} node apps/cli/bin/passport.js --version`);
      return `${String(await called.exited)} ${called.stdout()}${called.stderr()}`;
    };
    const stale = /^1 passport: .* demo that has ended.*: \. \.demo\/env\n$/;
    expect(await call()).toMatch(stale);
    writeFileSync(join(dir, 'env'), "export REDIS_URL='redis://:after@127.0.0.1:1'\n");
    expect(await call()).toMatch(stale);
    writeFileSync(join(dir, 'env'), "export REDIS_URL='redis://:before@127.0.0.1:1'\n");
    expect(await call()).toMatch(/^0 Patron Passport/);
  });

  demoTest(
    `npm run demo -- --check prints one JSON report, all as it should be${note}`,
    async () => {
      const check = runShell(BLOCKS[2] ?? '');
      expect({ code: await check.exited, stdout: check.stdout(), stderr: check.stderr() }).toMatchObject({
        code: 0,
      });
      const report = JSON.parse(check.stdout()) as { ok: boolean; scenarios: Record<string, unknown>[] };
      expect(report.ok).toBe(true);
      expect(report.scenarios).toMatchObject([
        { scenario: 'copied and checked out', outcome: 'COPIED', checkout: 'CHECKED_OUT', koha_calls: 3 },
        { scenario: 'copied without item', outcome: 'COPIED', checkout: 'NOT_ASKED', koha_calls: 2 },
        { scenario: 'already local', outcome: 'ALREADY_LOCAL' },
        { scenario: 'not found', outcome: 'NOT_FOUND', koha_calls: 1 },
        { scenario: 'not a card', outcome: 'NOT_A_CARD', koha_calls: 0 },
        { scenario: 'duplicate delivery', outcome: 'COPIED', checkout: 'CHECKED_OUT', koha_calls: 3 },
        { scenario: 'double scan', outcome: 'COPIED', checkout: 'CHECKED_OUT', koha_calls: 3 },
      ]);
    },
    150_000,
  );
});

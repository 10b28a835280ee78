import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type StartedProcess, freePort, startProcess, waitFor } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

type Ids = 'midland' | 'alder' | 'riverside';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EVENTS = 5;
const READY_WITHIN_MS = 10_000;
const MOST_LOOKUPS_EACH = 5;
const GIVE_UP_AFTER_S = 8;

let consortium: Consortium<Ids>;
const closers: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  consortium = await startConsortium<Ids>({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'] },
      alder: { reports: false, cards: ['^21001\\d{9}$'], reachedAt: nobody },
      riverside: { cards: ['^none$'], entry: { retry: { give_up_after: `${GIVE_UP_AFTER_S}s` } } },
    },
    workers: 0,
  });
}, 60_000);
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  await consortium?.stop();
});

const nobody = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;

/** A disk of 64 KiB, where this process may mount one; else the device that is always full. */
async function smallDisk(): Promise<{ log: string; canBeFreed: boolean }> {
  const dir = await mkdtemp(join(tmpdir(), 'passport-disk-'));
  closers.push(() => rm(dir, { recursive: true }));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]);
    closers.push(() => run('umount', ['-l', dir]));
    return { log: join(dir, 'worker.log'), canBeFreed: true };
  } catch {
    return { log: '/dev/full', canBeFreed: false };
  }
}

async function startWorkerLoggingTo(log: string) {
  const adminPort = await freePort();
  const admin = `http://127.0.0.1:${adminPort}`;
  const worker: StartedProcess = await startProcess({
    command: 'sh',
    args: ['-c', 'exec "$0" apps/worker/dist/main.js >> "$1"', process.execPath, log],
    cwd: ROOT,
    env: { ...consortium.services.env, ADMIN_PORT: String(adminPort) },
    readyWhen: async () => (await fetch(`${admin}/livez`)).ok,
  });
  closers.push(() => worker.stop());
  return {
    status: async (path: string): Promise<number> => (await fetch(`${admin}${path}`)).status,
    lost: async (kind: string): Promise<number> => {
      const text = await (await fetch(`${admin}/metrics`)).text();
      return Number(new RegExp(`log_lines_lost_total\\{kind="${kind}"\\} (\\d+)`).exec(text)?.[1]);
    },
  };
}

test('with the disk under its log full a worker ends every job, at few look-ups or by its age, counts what it could not write and is not ready', async () => {
  const { midland } = consortium.doubles;
  const disk = await smallDisk();
  const worker = await startWorkerLoggingTo(disk.log);
  const filler = join(disk.log, '../filler');
  if (disk.canBeFreed) {
    await waitFor('the worker to be ready', async () => (await worker.status('/readyz')) === 200);
    await writeFile(filler, Buffer.alloc(128 * 1024)).catch(() => undefined); // takes what there is
    // The last page of the log itself has space for a few lines.
    await writeFile(disk.log, Buffer.alloc(4_096), { flag: 'a' }).catch(() => undefined);
  }
  const startedAt = performance.now();
  const before = midland.calls().length;
  const events = await Promise.all(
    Array.from({ length: EVENTS }, async () => {
      const data = { cardnumber: registerPatron(midland), item_barcode: null };
      return (await consortium.at('riverside').scan(data)).eventId;
    }),
  );
  const ofAlder = { cardnumber: '21001000000017', item_barcode: null };
  const { eventId: tooOld } = await consortium.at('riverside').scan(ofAlder);
  await waitFor(
    'the worker to say that it is not ready',
    async () => (await worker.status('/readyz')) === 503,
    {
      timeoutMs: READY_WITHIN_MS,
    },
  );
  const unreadyMs = Math.round(performance.now() - startedAt);
  const ends = await Promise.all(events.map((id) => consortium.at('riverside').follow(id)));
  const endByAge = await consortium.at('riverside').follow(tooOld, { timeoutMs: 3_000 * GIVE_UP_AFTER_S });
  const lookups = midland
    .calls()
    .slice(before)
    .filter(({ operation }) => operation === 'GET /patrons').length;
  const lost = { audit: await worker.lost('audit'), other: await worker.lost('other') };
  process.stderr.write(
    `log on ${disk.canBeFreed ? 'a full disk' : '/dev/full'}: ${EVENTS} jobs ended at ${lookups} look-ups, not ready after ` +
      `${unreadyMs} ms, lost ${lost.audit} audit lines and ${lost.other} others\n`,
  );

  expect(ends.map(({ outcome }) => outcome)).toEqual(events.map(() => 'COPIED'));
  expect(endByAge).toMatchObject({ outcome: 'HOME_UNREACHABLE', homes: [{ id: 'alder' }] });
  expect(lookups).toBeLessThanOrEqual(EVENTS * MOST_LOOKUPS_EACH);
  expect(await worker.status('/livez')).toBe(200);
  expect(lost.audit).toBeGreaterThanOrEqual(EVENTS);
  if (!disk.canBeFreed) return;

  await rm(filler);
  await waitFor('the worker to be ready again', async () => (await worker.status('/readyz')) === 200, {
    timeoutMs: READY_WITHIN_MS,
  });
  expect(await readFile(disk.log, 'utf8')).toContain('"msg":"log lines were lost"');
}, 60_000);

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runUpgrade } from './upgrade-run.ts';

const present = fileURLToPath(new URL('../../../', import.meta.url));
let previous: string;

/** This build once more, as another version: `npm run test:upgrade -- --from REF` does it with a real one. */
beforeAll(() => {
  previous = mkdtempSync(join(tmpdir(), 'passport-upgrade-'));
  cpSync(join(present, 'docker-compose.yml'), join(previous, 'docker-compose.yml'));
  for (const app of ['receiver', 'worker']) {
    const at = join('apps', app);
    mkdirSync(join(previous, at, 'dist'), { recursive: true });
    for (const file of ['main.js', 'main.js.map'])
      cpSync(join(present, at, 'dist', file), join(previous, at, 'dist', file));
    const manifest = JSON.parse(readFileSync(join(present, at, 'package.json'), 'utf8')) as object;
    writeFileSync(join(previous, at, 'package.json'), JSON.stringify({ ...manifest, version: '0.9.0' }));
  }
});
afterAll(() => rmSync(previous, { recursive: true, force: true }));

test('two versions on one queue, upgraded and rolled back under load: nothing is lost, done twice or failed', async () => {
  const report = await runUpgrade({
    previous,
    present,
    perSecond: 4,
    sideBySideMs: 500,
    log: () => undefined,
  });
  const { events, upgrade, rollback, outcomes, broken } = report;
  process.stderr.write(
    `upgrade and rollback: ${events} events, ${upgrade.queuedAtStart} and ${rollback.queuedAtStart} queued at the start\n`,
  );
  expect(broken).toEqual([]);
  expect(outcomes).toEqual({ COPIED: events });
  for (const { queuedAtStart, waitingAtStart } of [upgrade, rollback]) {
    expect(queuedAtStart).toBeGreaterThanOrEqual(8);
    expect(waitingAtStart).toBeGreaterThanOrEqual(2);
  }
}, 600_000);

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seededRandom } from '@passport/testkit';
import {
  atKiosk,
  CONFIRM,
  leftOver,
  REHEARSE,
  rehearsalEnv,
  type Rehearsed,
  startRehearsal,
} from '../harness/start-rehearsal.ts';
import type { Consortium } from '../harness/start-consortium.ts';
import { runPassport } from '../harness/run-passport.ts';

const CLI = dirname(createRequire(import.meta.url).resolve('@passport/cli/package.json'));
const SEED = 25;
const KILLS = 20;
/** Everything that is made: rules, people, copies, items, checkouts, debts, restrictions, and what a self-check has the plugin report. */
const SCENARIOS = ['checkout', 'replaced_card', 'refused_restricted', 'refused_debt_over_limit', 'sip'];

let consortium: Consortium<Rehearsed>;
/** Called at each call that a Koha reads, before it is answered. */
let onCall = (): void => undefined;
beforeAll(async () => {
  consortium = await startRehearsal('25.05', { asks: false, onCall: () => onCall() });
  consortium.doubles.riverside.putSettings({ circulation_rules: [] });
}, 60_000);
afterAll(() => consortium?.stop());

/** Starts a rehearsal and kills it as the Kohas read their n-th call: its answer is lost, whatever it does. Returns how many calls there were. */
async function killAt(n: number): Promise<number> {
  const args = [...REHEARSE, ...atKiosk(consortium), ...CONFIRM, '--only', ...SCENARIOS];
  const child = spawn(process.execPath, [join(CLI, 'bin/passport.js'), ...args], {
    env: { PATH: process.env['PATH'], ...rehearsalEnv(consortium) },
    stdio: 'ignore',
  });
  let calls = 0;
  onCall = () => {
    calls += 1;
    if (calls === n) child.kill('SIGKILL');
  };
  await new Promise((resolve) => child.once('close', resolve));
  onCall = () => undefined;
  return calls;
}

test(`after each of ${KILLS} kills at seeded moments the next start leaves nothing behind`, async () => {
  const random = seededRandom(SEED);
  const whole = await killAt(Infinity);
  expect(leftOver(consortium)).toEqual([]);
  const found: string[] = [];
  let interrupted = 0;
  for (let n = 0; n < KILLS; n += 1) {
    const moment = 1 + random.int(whole);
    const calls = await killAt(moment);
    if (leftOver(consortium).length > 0) interrupted += 1;
    const { code, err } = await runPassport([...REHEARSE, '--clean'], { env: rehearsalEnv(consortium) });
    const left = leftOver(consortium);
    if (code !== 0 || left.length > 0)
      found.push(`killed at call ${moment} of ${calls}: exit ${code}, left ${left.join(', ')}: ${err}`);
  }
  expect(found).toEqual([]);
  expect(interrupted).toBeGreaterThan(KILLS / 4);
  expect(await consortium.redis.call('EXISTS', '{passport}:rehearsal')).toBe(0);
}, 400_000);

// `npm test [-- FILES]` and `npm run test:all [-- FILES]`: from a bare clone to a tested one; the last line is
// `Tests: N passed, N failed, N skipped`. With --shard=1/3 one of three parts; --keep-durations writes scripts/test-durations.json.
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationsFile, readDurations } from './jest/longest-first.mjs';
import { runJest } from './jest/run-jest.mjs';
import { runProve } from './run-prove.mjs';
import { endCommands, projectRoot, say } from './run-command.mjs';
import { setUp } from './set-up.mjs';
import { TESTED_WITH, isMet } from './system-packages.mjs';

const ours = { all: false, shard: undefined, keep: false };
const args = process.argv.slice(2).filter((arg) => {
  if (arg === '--all') ours.all = true;
  else if (arg === '--keep-durations') ours.keep = true;
  else if (arg.startsWith('--shard=')) ours.shard = arg.slice('--shard='.length);
  else return true;
  return false;
});
await setUp({ require: ['redis'], want: ours.all ? TESTED_WITH : ['openssl'], build: true });

// Everything that tests leave behind, however they end, is gone with it.
const tmp = mkdtempSync(join(tmpdir(), 'passport-tests-'));
chmodSync(tmp, 0o755); // some tests run a program as another user
const tidy = () => rmSync(tmp, { recursive: true, force: true, maxRetries: 3 });
async function giveUp() {
  await endCommands();
  tidy();
  process.exit(1);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void giveUp());

const isFirst = ours.shard === undefined || ours.shard.startsWith('1/');
const tier = ours.all ? 'all' : 'fast';
let quiet;
const isQuiet = new Promise((resolve) => (quiet = resolve));
const jest = runJest({ tier, args, shard: ours.shard, tmp, onQuiet: quiet });
const testPlugin = async () =>
  (await isMet('perl')) ? runProve({ tier, tmp, quiet: isQuiet }) : withoutPerl();
const runs = await Promise.all([jest, ...(args.length === 0 && isFirst ? [testPlugin()] : [])]);
const left = readdirSync(tmp);
tidy();

const skipped = runs.flatMap((run) => run.skipped);
const sum = (key) => runs.map((run) => run[key]).reduce((total, count) => total + count, 0);
for (const line of skipped) say(`skipped  ${line}`);
for (const file of runs.flatMap((run) => run.unsteady)) {
  say(`unsteady  ${file}: failed beside others, passed alone`);
}
if (left.length > 1)
  say(`left and removed  ${left.filter((name) => !name.startsWith('passport-jest-')).join(' ')}`);
if (ours.keep) keepDurations(runs[0].seconds);
console.log(`Tests: ${sum('passed')} passed, ${sum('failed')} failed, ${skipped.length} skipped`);
process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;

function withoutPerl() {
  return {
    passed: 0,
    failed: 0,
    skipped: ['apps/koha-plugin: Perl or a module of it is not on this machine'],
    unsteady: [],
  };
}

/** Of the files that ran, and as before of others. Files under two seconds say nothing of the order, and would be a change in each run. */
function keepDurations(seconds) {
  const kept = Object.entries({ ...readDurations(), ...seconds })
    .filter(([name, each]) => each >= 2 && existsSync(join(projectRoot, name)))
    .map(([name, each]) => [name, Math.round(each)]);
  const sorted = kept.toSorted(([one], [other]) => one.localeCompare(other));
  writeFileSync(durationsFile, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

// `npm run test:upgrade -- --from REF [--seconds N]`: builds the version at REF (a tag or commit) beside this one, and upgrades a
// consortium from it and back under load, with both versions at work on one queue. Prints a report as JSON.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { git } from './release/release-problems.mjs';
import { projectRoot, runCommand, say } from './run-command.mjs';
import { setUp } from './set-up.mjs';

const USAGE = `npm run test:upgrade -- --from REF [--seconds N]
  --from     the tag or commit of the previous version
  --seconds  how long the processes of each kind run side by side, in each direction (20)
`;
/** Kept from run to run, by commit. */
const BUILDS = join(tmpdir(), 'passport-previous');

function readOptions() {
  try {
    const { values } = parseArgs({ options: { from: { type: 'string' }, seconds: { type: 'string' } } });
    const seconds = Number(values.seconds ?? '20');
    if (values.from !== undefined && seconds > 0) return { from: values.from, seconds };
  } catch {
    // As if nothing was given.
  }
  say(USAGE);
  return process.exit(2);
}

/** A folder with what the commit's own tools make of its receiver and its worker. */
async function buildPrevious(ref) {
  const { code, output } = await git('rev-parse', '--verify', '--quiet', `${ref}^{commit}`);
  if (code !== 0) throw new Error(`${ref} is no commit of this repository`);
  const folder = join(BUILDS, output.trim());
  if (existsSync(join(folder, 'built'))) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  say(`Building ${ref} in ${folder}`);
  const archive = join(BUILDS, 'sources.tar');
  await must('git', ['-c', `safe.directory=${projectRoot}`, 'archive', `--output=${archive}`, output.trim()]);
  await must('tar', ['-xf', archive, '-C', folder]);
  rmSync(archive);
  await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  const turbo = ['run', 'build', '--filter=@passport/receiver', '--filter=@passport/worker', '--ui=stream'];
  await must(join(folder, 'node_modules/.bin/turbo'), turbo, folder);
  mkdirSync(join(folder, 'built'));
  return folder;
}

async function must(command, args, cwd = projectRoot) {
  const env = { TURBO_TELEMETRY_DISABLED: '1' };
  const { code, output } = await runCommand(command, args, { cwd, env, timeoutMs: 900_000 });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${output.slice(-4_000)}`);
}

const { from, seconds } = readOptions();
await setUp({ require: ['redis'], build: true });
const previous = await buildPrevious(from);
const { testUpgrade } = await import('../packages/system-tests/dist/fault/upgrade.js');
const isRight = await testUpgrade({ previous, present: projectRoot, sideBySideMs: seconds * 1_000 });
process.exitCode = isRight ? 0 : 1;

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, runCommand, say } from './run-command.mjs';
import { TESTED_WITH, ensureSystemPackages } from './system-packages.mjs';

/**
 * Makes a clone ready for a command and returns the set of needs that could not be met. `require` ends the process
 * with one line when it is not met, `want` only says so. `modules` are always made ready; `build: true` also builds
 * every package. Does nothing and prints nothing where all is there already.
 */
export async function setUp({ require = [], want = [], build = false } = {}) {
  checkNode();
  await ensureModules();
  const unmet = await ensureSystemPackages([...require, ...want]);
  if (unmet.some((need) => require.includes(need))) process.exit(1);
  if (build) await buildAll();
  return new Set(unmet);
}

function checkNode() {
  const { engines } = readJson('package.json');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor] = engines.node.replace('>=', '').split('.').map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  say(`Patron Passport needs Node ${engines.node}; this is ${process.version}.`);
  process.exit(1);
}

async function ensureModules() {
  if (modulesFitLock()) return;
  say('Installing npm packages (once, about half a minute)');
  const { code, output } = await runCommand('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code === 0) return;
  say(output);
  say('npm ci did not succeed.');
  process.exit(1);
}

/** npm writes its own record of what it installed as its last step; a broken installation has none. */
function modulesFitLock() {
  let installed;
  try {
    installed = readJson('node_modules/.package-lock.json').packages;
  } catch {
    return false;
  }
  return Object.entries(readJson('package-lock.json').packages).every(([place, wanted]) => {
    const found = installed[place];
    if (place === '') return true;
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** As turbo says that it has no build of this state of a package. */
const BUILT_ANEW = /^@passport\/([\w-]+):build: cache miss, executing/gm;

async function buildAll() {
  const started = performance.now();
  const turbo = join(projectRoot, 'node_modules/.bin/turbo');
  const args = ['run', 'build', '--ui=stream', '--output-logs=new-only'];
  const { code, output } = await runCommand(turbo, args, {
    env: { TURBO_TELEMETRY_DISABLED: '1' },
    onText: (text) => {
      for (const [, name] of text.matchAll(BUILT_ANEW)) say(`Building ${name}`);
    },
  });
  if (code === 0) return;
  say(output);
  say(`The build failed after ${Math.round((performance.now() - started) / 1_000)} s.`);
  process.exit(1);
}

const readJson = (path) => JSON.parse(readFileSync(join(projectRoot, path), 'utf8'));

// `node scripts/set-up.mjs`; with `--all` everything that any command needs.
if (process.argv[1] === import.meta.filename) {
  const isAll = process.argv.includes('--all');
  await setUp(isAll ? { require: ['redis'], want: [...TESTED_WITH, 'nginx'], build: true } : {});
}

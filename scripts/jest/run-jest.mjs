import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readDurations } from './longest-first.mjs';
import { projectRoot, runCommand, say } from '../run-command.mjs';

/** A suite that hangs must not block whoever waits for the last line. */
const TIMEOUT_MS = 45 * 60_000;
/** The rule of the tiers: a test is fast unless it is in `packages/system-tests` or its file is named `*.slow.test.ts`. */
const SLOW = '/packages/system-tests/|\\.slow\\.test\\.ts$';
/** The smoke of the whole, which the fast tier has too: built processes, no lost and no second effect, the Perl sender, what is shipped. */
const SMOKE = ['workflow', 'once', 'perl-sender', 'bundles'].map(
  (name) => `packages/system-tests/e2e/${name}.test.ts`,
);
/** They measure times, of desks down to single seconds, of two requests down to milliseconds: beside many others they would measure those. */
const AT_END = [
  'packages/koha-double/test/deadlocks.slow.test.ts',
  'packages/koha-double/test/plugin.slow.test.ts',
  'packages/system-tests/browser/two-cards.test.ts',
  'packages/system-tests/fault/hostile-connections.test.ts',
  'packages/system-tests/fault/stopping.test.ts',
];
/** A Koha that is well for two seconds and then silent: a processor that is late by one of them changes what its desk sees. */
const ALONE = ['packages/system-tests/fault/flapping.test.ts'];
/** Fast tests wait more than they work; beside system tests run the processes that those start. */
const FAST_WORKERS = 6;
const SYSTEM_WORKERS = 4;
/** What a fast file should take on a machine as quick as that of the durations. */
const FAST_SECONDS = 8;
/** Files that may fail beside others and pass alone, on a machine that somebody else uses too. More than these are a fault. */
const MOST_AGAIN = 6;

const ignore = (...patterns) =>
  ['/node_modules/', ...patterns].map((pattern) => `--testPathIgnorePatterns=${pattern}`);
const FAST_GROUP = { args: ignore(SLOW), workers: FAST_WORKERS, env: { FAST_TESTS: '1' } };
/**
 * What the tiers run, one group after the other: Jest's arguments, and how many files at a time. Few things
 * run at the same time once the group begins that is marked `isQuiet`.
 */
export const GROUPS = {
  fast: [FAST_GROUP, { args: SMOKE, workers: SYSTEM_WORKERS, isQuiet: true }],
  all: [
    FAST_GROUP,
    { args: [...ignore(...AT_END, ...ALONE), `--testPathPatterns=${SLOW}`], workers: SYSTEM_WORKERS },
    // Each waits more than it works, and so takes a processor at most.
    { args: AT_END, workers: 2, isQuiet: true },
    { args: ALONE, workers: 1 },
  ],
};

/**
 * Runs a tier (`fast` or `all`), or what Jest's arguments `args` name of both, and resolves with
 * `{ passed, failed, skipped, unsteady, seconds }`; `skipped` is a list of lines, each with its reason, `seconds` the time of
 * each file. A file that could not run at all counts as one failed test. Up to six
 * files of a tier that fail are run once more, alone; `unsteady` names those that pass then. What the suite sends to its
 * Kohas is then held against the client's table of calls, which is one more test. `shard` is `1/3` for the first third. `onQuiet` is
 * called when the first group begins that leaves room for what measures times itself.
 */
export async function runJest({ tier, args, shard, tmp, onQuiet }) {
  const dir = mkdtempSync(join(tmp, 'passport-jest-'));
  const run = (group) => runOnce({ dir, tmp, shard }, group);
  const browser = tier === 'all' && args.length === 0 ? await startBrowser(tmp) : null;
  const suite =
    args.length > 0 ? await run({ args, workers: SYSTEM_WORKERS }) : await runTier(tier, run, { onQuiet });
  await browser?.close();
  const sent = join(dir, 'shapes.jsonl');
  if (!existsSync(sent)) return suite;
  const isWhole = tier === 'all' && args.length === 0 && shard === undefined;
  const table = await runOnce(
    { dir, tmp },
    {
      args: ['--testMatch=**/packages/koha-client/test/call-table.suite.ts'],
      workers: 1,
      env: { KOHA_CALLS_SENT: sent, KOHA_CALLS_WHOLE: isWhole ? '1' : '' },
    },
  );
  return { ...suite, passed: suite.passed + table.passed, failed: suite.failed + table.failed };
}

/** The one browser of a run; null where there is none or it does not start, which the tests that need it say. */
async function startBrowser(tmp) {
  const { shareChromium } = await import('../../packages/testkit/dist/chromium.js');
  return shareChromium(tmp).catch(() => null);
}

/** Runs the groups of a tier with `run`, names (by `tell`) fast files that took long, and runs alone what failed beside others. */
export async function runTier(
  tier,
  run,
  { tell = say, onQuiet = () => undefined, durations = readDurations() } = {},
) {
  let first = NOTHING;
  for (const group of GROUPS[tier]) {
    if (group.isQuiet) onQuiet();
    first = addRuns(first, await run(group));
  }
  for (const long of longFast(first, durations)) tell(longLine(long));
  const files = first.failedFiles.length > MOST_AGAIN ? [] : first.failedFiles;
  if (files.length === 0) return first;
  const names = files.map(({ name }) => name);
  tell(`Once more, alone: ${names.join(' ')}`);
  const second = await run({ args: names, workers: 1, again: true });
  const still = new Set(second.failedFiles.map(({ name }) => name));
  const sum = (key) => files.reduce((total, file) => total + file[key], 0);
  return {
    ...first,
    passed: first.passed - sum('passed') + second.passed,
    failed: first.failed - sum('failed') + second.failed,
    unsteady: files.flatMap(({ name }) => (still.has(name) ? [] : [name])),
  };
}

const NOTHING = { passed: 0, failed: 0, skipped: [], files: [], failedFiles: [], seconds: {}, unsteady: [] };

const addRuns = (one, other) => ({
  ...one,
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: [...one.skipped, ...other.skipped],
  failedFiles: [...one.failedFiles, ...other.failedFiles],
  files: [...one.files, ...other.files],
  seconds: { ...one.seconds, ...other.seconds },
});

async function runOnce({ dir, tmp, shard }, { args, workers, again = false, env }) {
  const outputFile = join(dir, 'result.json');
  rmSync(outputFile, { force: true });
  try {
    const { code } = await runCommand(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--conditions=source',
        `--import=${join(projectRoot, 'scripts/jest/typescript.mjs')}`,
        `--import=${join(projectRoot, 'scripts/jest/end-with-jest.mjs')}`,
        'node_modules/jest/bin/jest.js',
        `--maxWorkers=${workers}`,
        `--reporters=${join(projectRoot, 'scripts/jest/reporter.mjs')}`,
        `--testSequencer=${join(projectRoot, 'scripts/jest/longest-first.mjs')}`,
        '--json',
        `--outputFile=${outputFile}`,
        ...(shard === undefined || again ? [] : [`--shard=${shard}`, '--passWithNoTests']),
        ...args,
      ],
      {
        show: true,
        timeoutMs: TIMEOUT_MS,
        env: {
          KOHA_CALL_SHAPES: dir,
          TMPDIR: tmp,
          // Each page of the plugin is a process of its own.
          PASSPORT_TEMPLATE_CACHE: join(dir, 'templates'),
          ...env,
        },
      },
    );
    const counts = countJest(JSON.parse(readFileSync(outputFile, 'utf8')));
    if (code !== 0 && counts.failed === 0) return { ...counts, failed: 1 };
    return counts;
  } catch {
    return { ...NOTHING, failed: 1 };
  }
}

function countJest(result) {
  const nameOf = ({ name }) => relative(projectRoot, name);
  const skipped = result.testResults.flatMap((file) =>
    file.assertionResults
      .filter(({ status }) => status === 'pending' || status === 'todo')
      .map(({ fullName }) => `${nameOf(file)}: ${fullName}`),
  );
  const files = result.testResults.map((file) => ({
    ...countFile(file),
    isFailed: file.status === 'failed',
    seconds: (file.endTime - file.startTime) / 1_000,
  }));
  return {
    ...NOTHING,
    passed: result.numPassedTests,
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped,
    files,
    failedFiles: files.filter(({ isFailed }) => isFailed),
    seconds: Object.fromEntries(files.map(({ name, seconds }) => [name, seconds])),
  };
}

/** A file that could not run at all has no tests, and counts as one that failed. */
function countFile({ name, status, assertionResults }) {
  const count = (wanted) => assertionResults.filter((each) => each.status === wanted).length;
  return {
    name: relative(projectRoot, name),
    passed: count('passed'),
    failed: Math.max(count('failed'), status === 'failed' && assertionResults.length === 0 ? 1 : 0),
  };
}

/**
 * The fast files that are new and long, or take twice what they took, each with its `limit` in seconds. They are named only: the time
 * of a file depends on what runs beside it.
 */
function longFast({ files, seconds }, durations) {
  const slowness = slownessOf(seconds, durations);
  return files
    .filter(({ name }) => isFast(name))
    .map((file) => ({ ...file, limit: slowness * Math.max(FAST_SECONDS, 2 * (durations[file.name] ?? 0)) }))
    .filter((file) => file.seconds > file.limit);
}

const longLine = ({ name, seconds, limit }) =>
  `long  ${name}: ${seconds.toFixed(1)} s of the ${limit.toFixed(1)} s that it should take at most;` +
  ' make it quicker, or name it *.slow.test.ts (CONTRIBUTING.md)';

const isFast = (name) => !new RegExp(SLOW).test(`/${name}`);

/** How many times longer than in `durations` the middle one of the files took that are there; 1 or more. */
export function slownessOf(seconds, durations) {
  const ratios = Object.entries(durations)
    .flatMap(([name, usual]) => (name in seconds ? [seconds[name] / usual] : []))
    .toSorted((left, right) => left - right);
  return Math.max(1, ratios[Math.floor(ratios.length / 2)] ?? 1);
}

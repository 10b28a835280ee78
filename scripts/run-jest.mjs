import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { projectRoot, runCommand, say } from './run-command.mjs';

/** A suite that hangs must not block whoever waits for the last line. */
const TIMEOUT_MS = 45 * 60_000;
/** No more than a small machine has cores: they have the processes of the tests to run, too, and a desk's seconds are measured. */
const WORKERS = availableParallelism() > 3 ? 4 : 2;
/** They measure times, of desks down to single seconds, of two requests down to milliseconds: beside other tests they would measure those. */
const ALONE = [
  'packages/koha-double/test/deadlocks.test.ts',
  'packages/system-tests/fault/flapping.test.ts',
  'packages/system-tests/fault/hostile-connections.test.ts',
];
/** Files that may fail beside others and pass alone, on a machine that somebody else uses too. More than these are a fault. */
const MOST_AGAIN = 3;

/**
 * Runs Jest over the files that `args` name, all by default, and resolves with `{ passed, failed, skipped, unsteady }`;
 * `skipped` is a list of lines, each with its reason. A file that could not run at all counts as one failed test.
 * A few files run after the others, alone.
 * Up to three files of a whole run that fail are run once more, alone; `unsteady` names those that pass then.
 * What the suite sends to its Kohas is then held against the client's table of calls, which is one more test.
 */
export async function runJest(args) {
  const dir = mkdtempSync(join(tmpdir(), 'passport-jest-'));
  try {
    const suite = await runSuite(dir, args);
    const sent = join(dir, 'shapes.jsonl');
    if (!existsSync(sent)) return suite;
    const table = await runOnce(dir, ['--testMatch=**/packages/koha-client/test/call-table.suite.ts'], {
      KOHA_CALLS_SENT: sent,
      KOHA_CALLS_WHOLE: args.length === 0 ? '1' : '',
    });
    return {
      ...suite,
      passed: suite.passed + table.passed,
      failed: suite.failed + table.failed,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runSuite(dir, args) {
  const env = { KOHA_CALL_SHAPES: dir };
  if (args.length > 0) return { ...(await runOnce(dir, args, env)), unsteady: [] };
  const ignored = ['/node_modules/', ...ALONE].map((path) => `--testPathIgnorePatterns=${path}`);
  const first = addRuns(await runOnce(dir, ignored, env), await runOnce(dir, ALONE, env, 1));
  const { failedFiles } = first;
  if (failedFiles.length === 0 || failedFiles.length > MOST_AGAIN) return { ...first, unsteady: [] };
  const names = failedFiles.map(({ name }) => name);
  say(`Once more, alone: ${names.join(' ')}`);
  const second = await runOnce(dir, names, env, 1);
  const still = new Set(second.failedFiles.map(({ name }) => name));
  const sum = (key) => failedFiles.reduce((total, file) => total + file[key], 0);
  return {
    passed: first.passed - sum('passed') + second.passed,
    failed: first.failed - sum('failed') + second.failed,
    skipped: first.skipped,
    unsteady: names.filter((name) => !still.has(name)),
  };
}

const addRuns = (one, other) => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: [...one.skipped, ...other.skipped],
  failedFiles: [...one.failedFiles, ...other.failedFiles],
});

async function runOnce(dir, args, env, workers = WORKERS) {
  const outputFile = join(dir, 'result.json');
  rmSync(outputFile, { force: true });
  try {
    const { code } = await runCommand(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
        `--maxWorkers=${workers}`,
        `--reporters=${join(projectRoot, 'scripts/jest-reporter.mjs')}`,
        '--json',
        `--outputFile=${outputFile}`,
        ...args,
      ],
      { show: true, timeoutMs: TIMEOUT_MS, env },
    );
    const counts = countJest(JSON.parse(readFileSync(outputFile, 'utf8')));
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } catch {
    return { passed: 0, failed: 1, skipped: [], failedFiles: [] };
  }
}

function countJest(result) {
  const skipped = result.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'pending' || status === 'todo')
      .map(({ fullName }) => `${relative(projectRoot, name)}: ${fullName}`),
  );
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped,
    failedFiles: result.testResults.filter(({ status }) => status === 'failed').map(countFile),
  };
}

/** A file that could not run at all has no tests, and counts as one that failed. */
function countFile({ name, assertionResults }) {
  const count = (wanted) => assertionResults.filter(({ status }) => status === wanted).length;
  return {
    name: relative(projectRoot, name),
    passed: count('passed'),
    failed: Math.max(count('failed'), assertionResults.length === 0 ? 1 : 0),
  };
}

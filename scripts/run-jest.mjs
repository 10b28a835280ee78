import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { projectRoot, runCommand } from './run-command.mjs';

/** A suite that hangs must not hold up whoever waits for the last line. */
const TIMEOUT_MS = 20 * 60_000;
/** More than a small machine has cores: most tests wait for processes, and for time to pass. */
const WORKERS = availableParallelism() > 3 ? 4 : 3;

/**
 * Runs Jest over the files that `args` name, all by default, and resolves with `{ passed, failed, skipped }`;
 * `skipped` is a list of lines, each with its reason. A file that could not run at all counts as one failed test.
 * What the suite sends to its Kohas is then held against the client's table of calls, which is one more test.
 */
export async function runJest(args) {
  const dir = mkdtempSync(join(tmpdir(), 'passport-jest-'));
  try {
    const suite = await runOnce(dir, args, { KOHA_CALL_SHAPES: dir });
    const sent = join(dir, 'shapes.jsonl');
    if (!existsSync(sent)) return suite;
    const table = await runOnce(dir, ['--testMatch=**/packages/koha-client/test/call-table.suite.ts'], {
      KOHA_CALLS_SENT: sent,
      KOHA_CALLS_WHOLE: args.length === 0 ? '1' : '',
    });
    return {
      passed: suite.passed + table.passed,
      failed: suite.failed + table.failed,
      skipped: suite.skipped,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runOnce(dir, args, env) {
  const outputFile = join(dir, 'result.json');
  rmSync(outputFile, { force: true });
  try {
    const { code } = await runCommand(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
        `--maxWorkers=${WORKERS}`,
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
    return { passed: 0, failed: 1, skipped: [] };
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
  };
}

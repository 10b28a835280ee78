import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
 */
export async function runJest(args) {
  const dir = mkdtempSync(join(tmpdir(), 'passport-jest-'));
  const outputFile = join(dir, 'result.json');
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
      { show: true, timeoutMs: TIMEOUT_MS },
    );
    const counts = countJest(JSON.parse(readFileSync(outputFile, 'utf8')));
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  } finally {
    rmSync(dir, { recursive: true, force: true });
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

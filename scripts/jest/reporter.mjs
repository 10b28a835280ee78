import { relative } from 'node:path';

/** Prints what failed, as it fails, and a line now and then that shows where the run is. Jest loads it by its path. */
export default class JestReporter {
  #started = performance.now();
  #reported = 0;

  onTestResult(_test, result, { numTotalTestSuites, numPassedTests, numFailedTests, ...all }) {
    if (result.failureMessage) {
      process.stderr.write(
        `\nFAILED ${relative(process.cwd(), result.testFilePath)}\n${result.failureMessage}`,
      );
      for (const { message } of result.console ?? []) process.stderr.write(`  printed: ${message}\n`);
    }
    const seconds = Math.round((performance.now() - this.#started) / 1_000);
    if (seconds - this.#reported < 10) return;
    this.#reported = seconds;
    const files = all.numPassedTestSuites + all.numFailedTestSuites + all.numPendingTestSuites;
    const failed = numFailedTests === 0 ? '' : `, ${numFailedTests} failed`;
    process.stderr.write(
      `  ${seconds} s: ${files} of ${numTotalTestSuites} files, ${numPassedTests} tests passed${failed}\n`,
    );
  }

  /** The files that the whole run waits for. */
  onRunComplete(_contexts, { testResults }) {
    const took = ({ perfStats }) => (perfStats.end - perfStats.start) / 1_000;
    const slow = testResults.filter((result) => took(result) > 10).sort((a, b) => took(b) - took(a));
    for (const result of slow.slice(0, 8)) {
      process.stderr.write(
        `  ${took(result).toFixed(0)} s in ${relative(process.cwd(), result.testFilePath)}\n`,
      );
    }
  }
}

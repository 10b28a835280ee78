// The steps of a long test that is no Jest test, counted and reported as they end.
import { say } from './run-command.mjs';

export const counts = { passed: 0, failed: 0, skipped: 0 };

export async function step(name, work) {
  const started = Date.now();
  try {
    await work();
    counts.passed += 1;
    say(`ok      ${name} (${((Date.now() - started) / 1_000).toFixed(1)} s)`);
  } catch (error) {
    counts.failed += 1;
    say(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
}

/** Prints the totals, and makes them the exit code. */
export function endSteps() {
  console.log(`Tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

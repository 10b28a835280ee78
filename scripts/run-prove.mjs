import { join } from 'node:path';
import { projectRoot, runCommand, say } from './run-command.mjs';

/**
 * Runs the Koha plugin's Perl tests and resolves with `{ passed, failed, skipped }`, as `runJest` does. Tests are
 * counted from their TAP, subtests as one; a file that ends badly counts as one failed test, one that skips all of its tests
 * as one skipped.
 */
export async function runProve(cwd = join(projectRoot, 'apps/koha-plugin')) {
  const { code, output } = await runCommand('prove', ['--verbose', '--recurse', 't'], {
    cwd,
    timeoutMs: 10 * 60_000,
  });
  const counts = countTap(output);
  if (code !== 0) {
    say(`\nFAILED apps/koha-plugin\n${failures(output)}`);
    if (counts.failed === 0) counts.failed = 1;
  }
  return counts;
}

/** Counts the lines of TAP at the outermost level. */
function countTap(output) {
  const counts = { passed: 0, failed: 0, skipped: [] };
  for (const line of output.split('\n')) {
    const skip = /^ok \d+.*? # skip\S* ?(.*)$/i.exec(line) ?? / \.{2,} skipped: (.*)$/.exec(line);
    const isTodo = /^not ok \d+.*# TODO\b/i.test(line);
    if (skip !== null) counts.skipped.push(`apps/koha-plugin: ${skip[1]}`);
    else if (/^ok \d+/.test(line) || isTodo) counts.passed += 1;
    else if (/^not ok \d+/.test(line)) counts.failed += 1;
  }
  return counts;
}

function failures(output) {
  const lines = output.split('\n').filter((line) => !/^\s*(?:ok \d|\d+\.\.\d+$|# Subtest)/.test(line));
  return lines.slice(-80).join('\n');
}

import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot, runCommand, say } from './run-command.mjs';

/** Files that may fail beside others and pass alone, as those of `runJest`. */
const MOST_AGAIN = 3;
/** They measure how long a page of Koha takes, and wait for it more than they work: these beside each other, when little else runs. */
const AT_END = ['t/first-scan.t', 't/sender.t', 't/waiting.t'];
/** They start a MariaDB each, and are no fast tests; the first runs fifteen others on it, and takes as long as all others together. */
const ON_MARIADB = ['t/on-mariadb.t', 't/upgrade.t', 't/concurrency.t'];

/**
 * Runs the Koha plugin's Perl tests, of the tier `fast` those that need no MariaDB, and resolves with `{ passed, failed, skipped, unsteady }`, as `runJest` does. Tests are
 * counted from their TAP, subtests as one; a file that ends badly counts as one failed test, one that skips all of its tests
 * as one skipped. What measures time, and files that failed, once more, run when `quiet` is fulfilled.
 */
export async function runProve({
  tier = 'all',
  cwd = join(projectRoot, 'apps/koha-plugin'),
  tmp = tmpdir(),
  quiet = Promise.resolve(),
} = {}) {
  const found = readdirSync(join(cwd, 't')).flatMap((name) => (name.endsWith('.t') ? [`t/${name}`] : []));
  const files = [
    ...(tier === 'all' ? ON_MARIADB.filter((name) => found.includes(name)) : []),
    ...found.filter((name) => !ON_MARIADB.includes(name)),
  ];
  const [timed, others] = [true, false].map((isTimed) =>
    files.filter((name) => AT_END.includes(name) === isTimed),
  );
  const beside = await proveOnce({ cwd, tmp, jobs: 2 }, others);
  await quiet;
  const first = addRuns(beside, await proveOnce({ cwd, tmp, jobs: AT_END.length }, timed));
  const { failedFiles } = first;
  if (failedFiles.length === 0 || failedFiles.length > MOST_AGAIN) return { ...first, unsteady: [] };
  say(`Once more, alone: ${failedFiles.map(({ name }) => name).join(' ')}`);
  const second = await proveOnce(
    { cwd, tmp, jobs: 1 },
    failedFiles.map(({ name }) => name),
  );
  const sum = (key) => failedFiles.reduce((total, file) => total + file[key], 0);
  const still = new Set(second.failedFiles.map(({ name }) => name));
  return {
    passed: first.passed - sum('passed') + second.passed,
    failed: Math.max(0, first.failed - sum('failed')) + second.failed,
    skipped: first.skipped,
    unsteady: failedFiles
      .filter(({ name }) => !still.has(name))
      .map(({ name }) => `apps/koha-plugin/${name}`),
  };
}

const addRuns = (one, other) => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: [...one.skipped, ...other.skipped],
  failedFiles: [...one.failedFiles, ...other.failedFiles],
});

/** Files wait for databases and processes, so two at a time take half as long. Into a pipe `prove` prints one after the other even so. */
async function proveOnce({ cwd, tmp, jobs }, files) {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: [], failedFiles: [] };
  const { code, output } = await runCommand('prove', ['--verbose', `--jobs=${jobs}`, ...files], {
    cwd,
    env: { TMPDIR: tmp },
    timeoutMs: 20 * 60_000,
  });
  const counts = countTap(output);
  if (code !== 0) {
    say(`\nFAILED apps/koha-plugin\n${failures(output)}`);
    if (counts.failed === 0) counts.failed = 1;
  }
  return { ...counts, failedFiles: code === 0 ? [] : listFailedFiles(output) };
}

/** From the summary: `t/scans.t (Wstat: 256 (exited 1) Tests: 8 Failed: 1)`. */
function listFailedFiles(output) {
  return [...output.matchAll(/^(t\/\S+\.t) +\(Wstat: .*Tests: (\d+) Failed: (\d+)\)/gm)].map(
    ([, name, tests, failed]) => ({
      name,
      passed: Number(tests) - Number(failed),
      failed: Math.max(Number(failed), 1),
    }),
  );
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

/** What failed, with what Perl says of it, and the summary. */
function failures(output) {
  const passes = /^[#\s]*(?:ok \d|\d+\.\.\d+$|Subtest)/;
  const lines = output.split('\n').filter((line) => !passes.test(line));
  const wrong = lines.flatMap((line, at) =>
    /not ok \d|Failed test| at \S+ line \d+\.$/.test(line) ? lines.slice(Math.max(0, at - 1), at + 8) : [],
  );
  return [...new Set([...wrong, ...lines.slice(-30)])].join('\n');
}

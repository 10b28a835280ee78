import { readFile } from 'node:fs/promises';
import { compareReports, readReport, type Earlier } from './compare-reports.ts';
import { describeMachine } from './machine.ts';
import { printTable, writeReport } from './report.ts';
import { readArguments } from './read-arguments.ts';
import { brokenRows, runScenarios } from './scenario.ts';
import { ONLY_BY_NAME, SCENARIOS } from './scenarios.ts';

const names = Object.keys(SCENARIOS);
const wanted = readArguments(process.argv.slice(2), names, process.stdout.isTTY);
if (typeof wanted === 'string') {
  process.stderr.write(
    `${wanted}\nnpm run bench -- [--quick] [--json | --table] [--write-report] [--against REPORT] [${names.join(' ')}]\n`,
  );
  process.exit(2);
}

// Whatever a scenario has started ends with this process, also where somebody loses patience.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const { isQuick, isJson, isWritten, against } = wanted;
// Read first: nobody wants to hear after a quarter of an hour that the file cannot be read, and --write-report replaces it.
const earlier = against === undefined ? undefined : await readEarlier(against);
const machine = await describeMachine();
const startedAt = performance.now();
/** What is going on, on standard error: on a terminal one line that changes, else a line for each change. */
const say = (text: string): void =>
  void process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
const isChosen = (name: string): boolean =>
  wanted.names.length === 0 ? isQuick || !ONLY_BY_NAME.includes(name) : wanted.names.includes(name);
const chosen = Object.entries(SCENARIOS).filter(([name]) => isChosen(name));
const { rows, skipped, seconds } = await runScenarios(chosen, { isQuick, progress: say });
if (process.stderr.isTTY) say('');
const took = Math.round((performance.now() - startedAt) / 1_000);
if (isJson) {
  const report = { machine, quick: isQuick, seconds: took, scenario_seconds: seconds, rows, skipped };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} else {
  const facts = Object.entries({ ...machine, seconds: took }).map((entry) => entry.join(' '));
  const absent = skipped.map(({ scenario, reason }) => `\n${scenario} not measured: ${reason}\n`);
  process.stdout.write(`${facts.join(', ')}\n\n${printTable(rows)}\n${absent.join('')}`);
}
if (earlier !== undefined) process.stderr.write(`${compareReports(rows, earlier)}\n`);
const broken = brokenRows(rows);
for (const { scenario, what } of broken) process.stderr.write(`${scenario} measured nothing: ${what}\n`);
if (isWritten && broken.length === 0) {
  process.stderr.write(`written to ${await writeReport({ machine, seconds: took, rows, skipped })}\n`);
}
// Ends what a scenario has forgotten, too.
process.exit(broken.length > 0 ? 1 : 0);

async function readEarlier(file: string): Promise<Earlier> {
  const report = await readFile(file, 'utf8').then(readReport, (error: unknown) => String(error));
  if (typeof report !== 'string') return report;
  process.stderr.write(`--against ${file}: ${report}\n`);
  process.exit(2);
}

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './machine.ts';
import { readArguments } from './read-arguments.ts';
import { compareReports, readReport, renderReport, replaceReport, type Earlier } from './report.ts';
import { brokenRows, runScenarios, type Scenario } from './scenario.ts';
import { measureAddedTime } from './scenarios/s1-added-time.ts';
import { measureBurst } from './scenarios/s11-burst.ts';
import { measureLibraries } from './scenarios/s12-libraries.ts';
import { measureDesk } from './scenarios/s14-desk.ts';
import { measureLocate } from './scenarios/s2-locate.ts';
import { measureBlackHole } from './scenarios/s3-black-hole.ts';
import { measureReceiver } from './scenarios/s4-receiver.ts';
import { measureWorker } from './scenarios/s5-worker.ts';

/** By the names that the command takes. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  S1: measureAddedTime,
  S2: measureLocate,
  S3: measureBlackHole,
  S4: measureReceiver,
  S5: measureWorker,
  S11: measureBurst,
  S12: measureLibraries,
  S14: measureDesk,
};
const PAGE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));

const known = Object.keys(SCENARIOS);
const wanted = readArguments(process.argv.slice(2), known);
if (typeof wanted === 'string') {
  const usage = `npm run bench -- [--quick] [--write-report] [--against REPORT] [${known.join(' ')}]`;
  process.stderr.write(`${wanted}\n${usage}\n`);
  process.exit(2);
}

// Whatever a scenario has started ends with this process, also where somebody loses patience.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const { names, isQuick, isWritten, against } = wanted;
// Read first: nobody wants to hear after a quarter of an hour that the file cannot be read, and --write-report replaces it.
const earlier = against === undefined ? undefined : await readEarlier(against);
const machine = await describeMachine();
const startedAt = performance.now();
const chosen = Object.entries(SCENARIOS).filter(([name]) => names.length === 0 || names.includes(name));
/** What is going on, on standard error: on a terminal one line that changes, else a line for each change. */
const say = (text: string): void =>
  void process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
const results = await runScenarios(chosen, { isQuick, progress: say });
if (process.stderr.isTTY) say('');
const report = renderReport({ machine, seconds: (performance.now() - startedAt) / 1_000, ...results });
process.stdout.write(`${report}\n`);
if (earlier !== undefined) process.stderr.write(`${compareReports(results.rows, earlier)}\n`);
const broken = brokenRows(results.rows);
for (const { scenario, what } of broken) process.stderr.write(`${scenario} measured nothing: ${what}\n`);
if (isWritten && broken.length === 0) {
  await writeFile(PAGE, replaceReport(await readFile(PAGE, 'utf8'), report));
  process.stderr.write(`written to ${PAGE}\n`);
}
// Ends what a scenario has forgotten, too.
process.exit(broken.length > 0 ? 1 : 0);

async function readEarlier(file: string): Promise<Earlier> {
  const earlierReport = await readFile(file, 'utf8').then(readReport, (error: unknown) => String(error));
  if (typeof earlierReport !== 'string') return earlierReport;
  process.stderr.write(`--against ${file}: ${earlierReport}\n`);
  process.exit(2);
}

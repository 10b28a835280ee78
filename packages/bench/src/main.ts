import { describeMachine } from './machine.ts';
import { printTable } from './print-table.ts';
import { startProgress } from './progress.ts';
import { readArguments } from './read-arguments.ts';
import type { Row } from './row.ts';
import { NotHere } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const isTerminal = process.stderr.isTTY;
const names = Object.keys(SCENARIOS);
const wanted = readArguments(process.argv.slice(2), names, process.stdout.isTTY);
if (typeof wanted === 'string') {
  process.stderr.write(`${wanted}\nnpm run bench -- [--quick] [--json] [${names.join(' ')}]\n`);
  process.exit(2);
}

const { isQuick } = wanted;
const machine = await describeMachine();
const startedAt = performance.now();
const rows: Row[] = [];
const skipped: { scenario: string; reason: string }[] = [];
const progress = startProgress(isTerminal);
for (const [scenario, measure] of Object.entries(SCENARIOS)) {
  if (wanted.names.length > 0 && !wanted.names.includes(scenario)) continue;
  progress.say(scenario);
  try {
    rows.push(...(await measure({ isQuick, progress: (text) => progress.say(`${scenario} ${text}`) })));
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    skipped.push({ scenario, reason: error.message });
  }
}
progress.done();
const seconds = Math.round((performance.now() - startedAt) / 1_000);
process.stdout.write(
  wanted.isJson
    ? `${JSON.stringify({ machine, seconds, quick: isQuick, rows, skipped }, null, 2)}\n`
    : `${[...Object.entries(machine).map((entry) => entry.join(': ')), `seconds: ${seconds}`].join(', ')}\n\n${printTable(rows)}\n${skipped.map(({ scenario, reason }) => `\n${scenario} not measured: ${reason}`).join('')}`,
);
// Keeps nothing alive that a scenario forgot.
process.exit(0);

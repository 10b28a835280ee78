import { describeMachine } from './machine.ts';
import type { Row } from './row.ts';
import { measureAddedTime } from './scenarios/s1-added-time.ts';
import { measureLocate } from './scenarios/s2-locate.ts';
import { measureBlackHole } from './scenarios/s3-black-hole.ts';
import { measureReceiver } from './scenarios/s4-receiver.ts';
import { measureWorker } from './scenarios/s5-worker.ts';
import { measureScaleOut } from './scenarios/s6-scale-out.ts';
import { measureBacklog } from './scenarios/s7-backlog.ts';
import { measureStartUp } from './scenarios/s8-start-up.ts';
import { measureCalls } from './scenarios/s9-calls.ts';

const SCENARIOS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  S1: measureAddedTime,
  S2: measureLocate,
  S3: measureBlackHole,
  S4: measureReceiver,
  S5: measureWorker,
  S6: measureScaleOut,
  S7: measureBacklog,
  S8: measureStartUp,
  S9: measureCalls,
};

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const wanted = process.argv.slice(2).map((name) => name.toUpperCase());
const unknown = wanted.filter((name) => SCENARIOS[name] === undefined);
if (unknown.length > 0) {
  say(`There is no ${unknown.join(', ')}; there are ${Object.keys(SCENARIOS).join(' ')}.`);
  process.exit(2);
}

const machine = describeMachine();
const rows: Row[] = [];
for (const [name, measure] of Object.entries(SCENARIOS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  say(`Measuring ${name}`);
  for (const row of await measure()) {
    rows.push(row);
    say(
      `  ${row.met ? 'met ' : 'MISS'} ${row.what}: ${row.ours} against ${row.against} ${row.unit} (${row.target})`,
    );
  }
}
process.stdout.write(`${JSON.stringify({ machine, rows }, null, 2)}\n`);

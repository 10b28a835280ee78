import { parseArgs } from 'node:util';
import { runChaos } from './chaos-run.ts';

/** The lock of a sweep outlives its worker for three minutes. */
const LAST_SWEEPS_MS = 420_000;

const usage = `npm run chaos -- [--minutes N] [--seed S]
  Breaks workers, receivers, Redis and libraries at random while events come in. Prints one JSON report on standard
  output; exits 1 when anything in "wrongs" is not empty. The same seed repeats the choices of a run.
`;

function readOptions(): { minutes: number; seed: number } | null {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: 'string' }, seed: { type: 'string' } },
      allowPositionals: false,
    });
    const minutes = Number(values.minutes ?? '10');
    const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
    return minutes > 0 && Number.isInteger(seed) ? { minutes, seed } : null;
  } catch {
    return null;
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) {
    process.stderr.write(usage);
    return 2;
  }
  const { minutes, seed } = options;
  const log = (line: string) => void process.stderr.write(`chaos: ${line}\n`);
  log(`${minutes} minutes, seed ${seed} (again: npm run chaos -- --minutes ${minutes} --seed ${seed})`);
  const report = await runChaos({ breakingMs: minutes * 60_000, seed, log, lastSweepsMs: LAST_SWEEPS_MS });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  const wrong = Object.entries(report.wrongs).filter(([, cases]) => cases.length > 0);
  for (const [name, cases] of wrong) log(`WRONG: ${cases.length} ${name}`);
  return wrong.length === 0 ? 0 : 1;
}

process.exitCode = await main();
